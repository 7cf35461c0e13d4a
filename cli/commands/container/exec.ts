import { readFileSync } from 'node:fs'
import { conflict, invalid, isKind } from '#base/errors.ts'
import type { ExecCreateRequest, ExecInspect, IdResponse } from '#contract/types.gen.ts'
import type { Cli } from '../../cli.ts'
import { containerPath, inspectContainer } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { checkEnv, parseEnvFile, readOption, resolveEnv } from '../../options/key-value.ts'
import { list, text, toggle } from '../../parsing/flag.ts'
import { streamAttached } from '../../terminal/attached.ts'
import { followSize } from '../../terminal/resize.ts'
import { detachKeysOf } from './attach-stream.ts'

export const execCommand = command({
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  summary: 'Run a further command in a running container',
  flags: {
    detach: toggle('detach', 'Leave it running and come back at once', { short: 'd' }),
    detachKeys: text('detach-keys', 'Keys that detach, such as ctrl-p,ctrl-q'),
    env: list('env', 'Variable of the environment; a bare name takes our value', { short: 'e', check: checkEnv }),
    envFile: list('env-file', 'File with a variable on every line'),
    interactive: toggle('interactive', 'Keep standard input open', { short: 'i' }),
    privileged: toggle('privileged', 'Give the command all rights over the host'),
    tty: toggle('tty', 'Give it a terminal', { short: 't' }),
    user: text('user', 'User and group to run as, as name|uid[:group|gid]', { short: 'u' }),
    workdir: text('workdir', 'Directory to start in', { short: 'w' }),
  },
  least: 2,
  stopsAtArgument: true,
  async run(cli, { flags, args: [name = '', ...Cmd] }) {
    const { detach, tty } = flags
    const stdin = flags.interactive && !detach
    const keys = await detachKeysOf(cli, flags.detachKeys)
    const read = (path: string): string => readFileSync(path, 'utf8')
    const fromFiles = flags.envFile.flatMap((path) => parseEnvFile(readOption(path, read), path, cli.env))
    const body: ExecCreateRequest = {
      User: flags.user,
      Privileged: flags.privileged,
      Tty: tty,
      AttachStdin: stdin,
      AttachStdout: !detach,
      AttachStderr: !detach,
      ...(keys.asked !== undefined && { DetachKeys: keys.asked }),
      Env: [...fromFiles, ...resolveEnv(flags.env, cli.env)],
      WorkingDir: flags.workdir,
      Cmd,
      ...(tty && cli.stdout.isTerminal && { ConsoleSize: [cli.stdout.rows, cli.stdout.columns] }),
    }
    if (stdin && tty && !cli.stdin.isTerminal) {
      // That there is no such container is the more useful answer; asked before an exec is made that nobody would start.
      await inspectContainer(cli.client, name)
      throw invalid('the input device is not a TTY')
    }
    const { Id } = await cli.client.json<IdResponse>('POST', containerPath(name, '/exec'), { body })
    const path = `/exec/${Id}`
    if (!detach) return await runAttached(cli, path, body, keys.bytes)
    await cli.client.send('POST', `${path}/start`, { body: { Detach: true, Tty: tty } })
    return 0
  },
})

async function runAttached(cli: Cli, path: string, body: ExecCreateRequest, detachKeys: Buffer): Promise<number> {
  const { Tty: tty = false, AttachStdin: stdin = false, ConsoleSize } = body
  const { socket } = await cli.client.hijack(`${path}/start`, {
    body: { Detach: false, Tty: tty, ...(ConsoleSize && { ConsoleSize }) },
  })
  using _size = tty && cli.stdout.isTerminal ? followSize(cli, path) : undefined
  const end = await streamAttached(cli, { socket, stdin, tty, output: true, detachKeys })
  return end === 'detached' ? 0 : await exitCodeOf(cli, path)
}

/** The engine closes the stream when it knows the status; a container that is gone takes its execs' records with it. */
async function exitCodeOf(cli: Cli, path: string): Promise<number> {
  try {
    const { Running, ExitCode } = await cli.client.json<ExecInspect>('GET', `${path}/json`)
    if (Running) throw conflict('the stream of the command has ended, but it is still running')
    return ExitCode ?? 1
  } catch (error) {
    if (isKind(error, 'not-found')) return 1
    throw error
  }
}
