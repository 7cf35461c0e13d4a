import { invalid, messageOf } from '#base/errors.ts'
import type { ContainerWait } from '#contract/types.gen.ts'
import { parseReference } from '#oci/reference.ts'
import type { Cli } from '../../cli.ts'
import { containerPath, openWait, startContainer } from '../../client/containers.ts'
import type { CreateBody } from '../../client/wire.ts'
import { command } from '../../command.ts'
import { ExitError } from '../../exit-error.ts'
import { containerFlags } from '../../options/container-flags.ts'
import { text, toggle } from '../../parsing/flag.ts'
import { followSize } from '../../terminal/resize.ts'
import { openAttach, proxySignals } from './attach-stream.ts'
import { createFromImage, toRequest, withHelp } from './create-container.ts'

const flags = {
  ...containerFlags,
  detach: toggle('detach', 'Leave it running and print its id', { short: 'd' }),
  detachKeys: text('detach-keys', 'Keys that detach, such as ctrl-p,ctrl-q'),
  sigProxy: toggle('sig-proxy', 'Pass signals on to the process', { initial: true }),
}

export const runCommand = command({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Make a container of an image and run it',
  flags,
  least: 1,
  stopsAtArgument: true,
  async run(cli, input) {
    const { flags } = input
    const asked = await toRequest(cli, input, 'run')
    if (flags.detach && flags.attach.length > 0) {
      throw invalid('conflicting options: cannot specify both --attach and --detach')
    }
    const body = flags.detach ? detached(asked) : asked
    if (body.AttachStdin && body.Tty && !cli.stdin.isTerminal) throw invalid('the input device is not a TTY')
    try {
      if (!/^(sha256:)?[0-9a-f]+$/.test(body.Image)) parseReference(body.Image)
      const id = await createFromImage(cli, body, flags)
      using _proxy = flags.sigProxy ? proxySignals(cli, id, { tty: body.Tty }) : undefined
      return flags.detach ? await runDetached(cli, id) : await runAttached(cli, id, body, flags.detachKeys)
    } catch (error) {
      if (error instanceof ExitError) throw error
      throw withHelp(cli, error, 'run', statusOf(messageOf(error)))
    }
  },
})

function detached(body: CreateBody): CreateBody {
  return { ...body, AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false }
}

async function runDetached(cli: Cli, id: string): Promise<number> {
  await startContainer(cli.client, id)
  await cli.stdout.write(`${id}\n`)
  return 0
}

/** Streams and the wait are open before the start, so that a process of one millisecond loses nothing. */
async function runAttached(cli: Cli, id: string, body: CreateBody, detachKeys: string): Promise<number> {
  const attach = body.AttachStdin || body.AttachStdout || body.AttachStderr
  if (!attach) await cli.stdout.write(`${id}\n`)
  const [stream, wait] = await Promise.all([
    attach
      ? openAttach(cli, {
          id,
          stdin: body.AttachStdin,
          stdout: body.AttachStdout,
          stderr: body.AttachStderr,
          tty: body.Tty,
          detachKeys,
        })
      : undefined,
    openWait(cli.client, id, body.HostConfig.AutoRemove ? 'removed' : 'next-exit'),
  ])
  try {
    await startContainer(cli.client, id)
  } catch (error) {
    // With --rm the engine removes what could not start; leaving before that would show it as still there.
    if (body.HostConfig.AutoRemove) await wait.result.catch(() => {})
    throw error
  }
  using _size = attach && body.Tty && cli.stdout.isTerminal ? followSize(cli, containerPath(id)) : undefined
  if ((await stream?.()) === 'detached') return 0
  return await statusFrom(cli, wait.result)
}

/** The container's own exit status, or 125 when it cannot be known. */
export async function statusFrom(cli: Cli, result: Promise<ContainerWait>): Promise<number> {
  try {
    const { StatusCode, Error: failure } = await result
    if (!failure) return StatusCode
    await cli.stderr.write(`Error waiting for container: ${failure.Message}\n`)
  } catch (error) {
    await cli.stderr.write(`error waiting for container: ${messageOf(error)}\n`)
  }
  return 125
}

/** Docker tells by the text why a container did not start: 127 not found, 126 not executable, 125 everything else. */
export function statusOf(message: string): number {
  if (/executable file not found|no such file or directory|system cannot find the file specified/.test(message))
    return 127
  return /permission denied|is a directory/.test(message) ? 126 : 125
}
