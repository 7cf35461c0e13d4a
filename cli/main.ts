import { messageOf } from '#base/errors.ts'
import { buildFacts } from './build-facts.ts'
import { findEntry, groups } from './catalog.ts'
import type { Cli } from './cli.ts'
import { type Address, toAddress } from './client/address.ts'
import { Client } from './client/client.ts'
import type { Endpoint } from './client/endpoint.ts'
import { type ConfigFile, readConfigFile } from './config/config-file.ts'
import { headersOf } from './config/headers.ts'
import { ContextStore } from './contexts/context-store.ts'
import { Contexts } from './contexts/current.ts'
import { ExitError } from './exit-error.ts'
import { globals, parseGlobals } from './globals.ts'
import { type Parsed, parseArguments } from './parsing/parse.ts'
import { signalsOf } from './terminal/signals.ts'
import { inputOf, outputOf } from './terminal/streams.ts'

const standardHost = 'unix:///run/berth/berth.sock'

/**
 * Runs one command of the client.
 * @param argv the words behind the program's name
 * @returns the exit status: Docker's 125, 126 and 127, the container's own for `run` and `exec`, 1 for other failures
 */
export async function main(argv: readonly string[]): Promise<number> {
  const program = /(^|\/)docker$/.test(process.argv0) ? 'docker' : 'berth'
  const stderr = outputOf(() => process.stderr)
  using undo = new DisposableStack()
  let debug = false
  try {
    const top = parseGlobals(program, argv)
    debug = top.flags.debug
    return await runCommand(openCli(program, top, { argv, stderr, undo }), top)
  } catch (error) {
    const message = messageOf(error)
    if (debug) await stderr.write(`${(await import('node:util')).inspect(error)}\n`)
    if (message !== '') await stderr.write(`${message}\n`)
    return error instanceof ExitError ? error.status : 1
  }
}

interface Process {
  readonly argv: readonly string[]
  readonly stderr: Cli['stderr']
  /** What is left open when the command ends. */
  readonly undo: DisposableStack
}

function openCli(program: string, top: Parsed<typeof globals>, { argv, stderr, undo }: Process): Cli {
  const { env } = process
  const configDirectory = top.flags.config || env.DOCKER_CONFIG || `${env.HOME ?? ''}/.docker`
  const config = readConfigOnce(configDirectory, stderr)
  const store = new ContextStore(configDirectory)
  const contexts = new Contexts(store, { top, env, configDirectory, standardHost, config })
  let client: Client | undefined
  return {
    program,
    contexts,
    stderr,
    configDirectory,
    get client() {
      client ??= undo.use(openClient(contexts, program, env, config()))
      return client
    },
    stdin: inputOf(
      () => process.stdin,
      // Asked when needed: loading node:tty takes 4 ms.
      () => process.getBuiltinModule('node:tty').isatty(0),
    ),
    stdout: outputOf(() => process.stdout),
    env,
    signals: signalsOf(process),
    get directory() {
      return process.cwd()
    },
    config: async () => config(),
    argv,
    plugins: async () => {
      const { listPlugins } = await import('./plugins/find-plugins.ts')
      const { isBuiltin } = await import('./not-yet.ts')
      return await listPlugins({ configDirectory, config: config(), isBuiltin })
    },
  }
}

/** A file that cannot be read is told of once, and is then as one that is not there. */
function readConfigOnce(directory: string, stderr: Cli['stderr']): () => ConfigFile {
  let config: ConfigFile | undefined
  return () => {
    if (config) return config
    try {
      config = readConfigFile(directory)
    } catch (error) {
      config = {}
      void stderr.write(`WARNING: ${messageOf(error)}\n`)
    }
    return config
  }
}

function openClient(contexts: Contexts, program: string, env: NodeJS.ProcessEnv, config: ConfigFile): Client {
  const failed = (error: unknown, doing = ''): ExitError =>
    new ExitError(1, `Failed to initialize: ${doing}${messageOf(error)}`, error)
  let endpoint: Endpoint
  try {
    endpoint = contexts.engine()
  } catch (error) {
    throw failed(error, 'unable to resolve docker endpoint: ')
  }
  try {
    const headers = headersOf(config, env.DOCKER_CUSTOM_HEADERS)
    return new Client({ address: toAddress(endpoint), program, headers, apiVersion: env.DOCKER_API_VERSION })
  } catch (error) {
    throw failed(error)
  }
}

async function runCommand(cli: Cli, top: Parsed<typeof globals>): Promise<number> {
  const { program, stdout, stderr } = cli
  if (top.flags.version) {
    const { version, gitCommit } = buildFacts()
    await stdout.write(
      `${program === 'docker' ? 'Docker' : 'Berth'} version ${version}, build ${gitCommit || 'sources'}\n`,
    )
    return 0
  }
  if (await runPlugin(cli, top)) return 0
  const [request = ''] = top.args
  if (request.startsWith('__complete')) {
    const { answerCompletion, completionRequests } = await import('./completion/answer.ts')
    if (completionRequests.includes(request)) return await answerCompletion(cli, request, top.args.slice(1))
  }
  const words = top.help ? [] : top.args[0] === 'help' ? [...top.args.slice(1), '--help'] : top.args
  const [first = '--help', second = '--help'] = words
  if (first === '--help' || (Object.hasOwn(groups, first) && ['--help', '-h'].includes(second))) {
    const { formatGroup, formatOverview } = await import('./overview.ts')
    const text = first === '--help' ? await formatOverview(cli, globals) : formatGroup(program, first)
    // Asked for, help is the output; else it tells that a command is missing.
    await (words.length === 1 && first !== '--help' ? stderr : stdout).write(text)
    return 0
  }
  const found = findEntry(words)
  if (!found) throw await unknown(program, first, second)
  const command = await found.entry.load()
  const spelled = `${program} ${words.slice(0, found.used).join(' ')}`
  const input = parseCommand(program, spelled, command, words.slice(found.used))
  if (input.help) {
    const { formatCommandHelp } = await import('./parsing/help.ts')
    await stdout.write(formatCommandHelp(program, spelled, command, found.entry.spellings))
    return 0
  }
  // An engine that nobody can reach by what was said is told of before the command begins.
  if (!command.withoutEngine) await checkAddress(cli.client.address)
  return await command.run(cli, input)
}

/** A command that is none of ours may be a plugin's: it takes this process over.   @returns false when there is none */
async function runPlugin(cli: Cli, top: Parsed<typeof globals>): Promise<boolean> {
  const aside = ['help', '__complete', '__completeNoDesc']
  const [first = '', second = ''] = aside.includes(top.args[0] ?? '') ? top.args.slice(1) : top.args
  if (top.help || first === '' || findEntry([first, second]) || (Object.hasOwn(groups, first) && second !== 'build')) {
    return false
  }
  const [{ pluginCall }, { findPlugin }, { isBuiltin }] = await Promise.all([
    import('./plugins/plugin-call.ts'),
    import('./plugins/find-plugins.ts'),
    import('./not-yet.ts'),
  ])
  const { contexts, env, configDirectory } = cli
  const call = pluginCall(cli.argv, top.args, { contexts, env, program: process.argv0 })
  const plugin = await findPlugin({ configDirectory, config: await cli.config(), isBuiltin }, call.name)
  if (!plugin) return false
  process.execve?.(plugin.Path, [plugin.Path, ...call.argv], { ...process.env, ...call.env })
  throw new ExitError(1, `${plugin.Path} was not executed`)
}

async function checkAddress(address: Address): Promise<void> {
  if (address.kind !== 'tcp' || !address.tls) return
  const { checkTls } = await import('./client/tls.ts')
  try {
    checkTls(address.tls)
  } catch (error) {
    throw new ExitError(1, `Failed to initialize: ${messageOf(error)}`, error)
  }
}

type Command = Awaited<ReturnType<NonNullable<ReturnType<typeof findEntry>>['entry']['load']>>

/** Flags and the number of arguments.   @throws ExitError in Docker's words, 125 for flags and 1 for arguments */
function parseCommand(
  program: string,
  spelled: string,
  command: Command,
  argv: readonly string[],
): Parsed<Command['flags']> {
  const usage = `Usage:  ${spelled} ${command.usage}`.trimEnd()
  let input: Parsed<Command['flags']>
  try {
    input = parseArguments(command.flags, argv, { interspersed: command.stopsAtArgument !== true })
  } catch (error) {
    throw new ExitError(125, `${messageOf(error)}\n\n${usage}\n\nRun '${spelled} --help' for more information`, error)
  }
  const { least, most = Number.POSITIVE_INFINITY } = command
  const count = input.args.length
  if (input.help || (count >= least && count <= most)) return input
  const wanted = most === 0 ? 'accepts no arguments' : `requires ${expected(least, most)}`
  const see = most === Number.POSITIVE_INFINITY ? 'See' : 'Run'
  throw new ExitError(
    1,
    `${program}: '${spelled}' ${wanted}\n\n${usage}\n\n${see} '${spelled} --help' for more information`,
  )
}

function expected(least: number, most: number): string {
  const plural = (count: number): string => `${count} argument${count === 1 ? '' : 's'}`
  if (most === least) return plural(least)
  return most === Number.POSITIVE_INFINITY ? `at least ${plural(least)}` : `at most ${plural(most)}`
}

async function unknown(program: string, first: string, second: string): Promise<ExitError> {
  const { isNotYet } = await import('./not-yet.ts')
  if (isNotYet(first, second)) {
    const spelled = Object.hasOwn(groups, first) ? `${program} ${first} ${second}` : `${program} ${first}`
    return new ExitError(1, `${program}: '${spelled}' is not there yet\n\nRun '${program} --help' for what is`)
  }
  if (!Object.hasOwn(groups, first)) {
    return new ExitError(
      1,
      `${program}: unknown command: ${program} ${first}\n\nRun '${program} --help' for more information`,
    )
  }
  const usage = `Usage:  ${program} ${first}\n\nRun '${program} ${first} --help' for more information`
  return new ExitError(1, `${program}: unknown command: ${program} ${first} ${second}\n\n${usage}`)
}
