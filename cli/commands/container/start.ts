import { conflict, invalid, messageOf } from '#base/errors.ts'
import type { Cli } from '../../cli.ts'
import { containerPath, inspectContainer, openWait, startContainer } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { ExitError } from '../../exit-error.ts'
import { text, toggle } from '../../parsing/flag.ts'
import { followSize } from '../../terminal/resize.ts'
import { openAttach, proxySignals } from './attach-stream.ts'
import { statusFrom } from './run.ts'

export const startCommand = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Start containers that are stopped',
  flags: {
    attach: toggle('attach', 'Show its output and pass signals on', { short: 'a' }),
    detachKeys: text('detach-keys', 'Keys that detach, such as ctrl-p,ctrl-q'),
    interactive: toggle('interactive', 'Connect its standard input too', { short: 'i' }),
  },
  least: 1,
  async run(cli, { flags, args }) {
    if (!flags.attach && !flags.interactive) return await startAll(cli, args)
    if (args.length > 1) throw invalid('you cannot start and attach multiple containers at once')
    return await startAttached(cli, args[0] ?? '', flags)
  },
})

/** One after the other, as the order may matter to the containers. */
async function startAll(cli: Cli, names: readonly string[]): Promise<number> {
  const failed: string[] = []
  for (const name of names) {
    try {
      await startContainer(cli.client, name)
      await cli.stdout.write(`${name}\n`)
    } catch (error) {
      failed.push(name)
      await cli.stderr.write(`${messageOf(error)}\n`)
    }
  }
  if (failed.length > 0) throw new ExitError(1, `Error: failed to start containers: ${failed.join(', ')}`)
  return 0
}

interface StartFlags {
  readonly interactive: boolean
  readonly detachKeys: string
}

async function startAttached(cli: Cli, name: string, flags: StartFlags): Promise<number> {
  const { Id, State, Config, HostConfig } = await inspectContainer(cli.client, name)
  if (State.Running) throw conflict('cannot attach to a running container: use "attach" instead')
  const tty = Config.Tty ?? false
  const stdin = flags.interactive && (Config.OpenStdin ?? false)
  if (stdin && tty && !cli.stdin.isTerminal) throw invalid('the input device is not a TTY')
  using _proxy = tty ? undefined : proxySignals(cli, Id, { tty })
  const [stream, wait] = await Promise.all([
    openAttach(cli, { id: Id, stdin, stdout: true, stderr: true, tty, detachKeys: flags.detachKeys }),
    openWait(cli.client, Id, HostConfig.AutoRemove ? 'removed' : 'next-exit'),
  ])
  await startContainer(cli.client, Id)
  using _size = tty && cli.stdout.isTerminal ? followSize(cli, containerPath(Id)) : undefined
  if ((await stream()) === 'detached') return 0
  return await statusFrom(cli, wait.result)
}
