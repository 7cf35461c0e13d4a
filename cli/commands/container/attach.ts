import { conflict, invalid } from '#base/errors.ts'
import { containerPath, inspectContainer, openWait } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { ExitError } from '../../exit-error.ts'
import { text, toggle } from '../../parsing/flag.ts'
import { followSize } from '../../terminal/resize.ts'
import { openAttach, proxySignals } from './attach-stream.ts'

export const attachCommand = command({
  usage: '[OPTIONS] CONTAINER',
  summary: 'Connect this terminal to a running container',
  flags: {
    detachKeys: text('detach-keys', 'Keys that detach, such as ctrl-p,ctrl-q'),
    noStdin: toggle('no-stdin', 'Leave standard input alone'),
    sigProxy: toggle('sig-proxy', 'Pass signals on to the process', { initial: true }),
  },
  least: 1,
  most: 1,
  async run(cli, { flags, args: [name = ''] }) {
    const { Id, State, Config } = await inspectContainer(cli.client, name)
    if (!State.Running) throw conflict('You cannot attach to a stopped container, start it first')
    if (State.Paused) throw conflict('You cannot attach to a paused container, unpause it first')
    if (State.Restarting) throw conflict('You cannot attach to a restarting container, wait until it is running')
    const tty = Config.Tty ?? false
    const stdin = !flags.noStdin && (Config.OpenStdin ?? false)
    if (stdin && tty && !cli.stdin.isTerminal) throw invalid('the input device is not a TTY')
    const wait = await openWait(cli.client, Id, 'not-running')
    using _proxy = flags.sigProxy && !tty ? proxySignals(cli, Id, { tty }) : undefined
    const stream = await openAttach(cli, {
      id: Id,
      stdin,
      stdout: true,
      stderr: true,
      tty,
      detachKeys: flags.detachKeys,
    })
    using _size = tty && cli.stdout.isTerminal ? followSize(cli, containerPath(Id)) : undefined
    if ((await stream()) === 'detached') throw new ExitError(1, 'read escape sequence')
    const { StatusCode, Error: failure } = await wait.result
    if (failure) throw new ExitError(1, failure.Message)
    return StatusCode
  },
})
