import type { Socket } from 'node:net'
import { messageOf, unavailable } from '#base/errors.ts'
import type { Cli } from '../cli.ts'
import { ExitError } from '../exit-error.ts'
import { DetachFilter } from './detach-keys.ts'
import { FrameDecoder, mergeFrames } from './frames.ts'

export interface AttachedOptions {
  readonly socket: Socket
  readonly stdin: boolean
  /** False when only standard input is wanted: the end of the input is then the end. */
  readonly output: boolean
  /** Raw bytes instead of frames, and a terminal of ours in raw mode. */
  readonly tty: boolean
  readonly detachKeys: Buffer
}

/**
 * Moves bytes between our standard streams and a hijacked connection until the other side ends, or the detach keys are typed.
 * The end of our input ends only that direction.   @throws `unavailable` when the connection breaks
 */
export async function streamAttached(cli: Cli, options: AttachedOptions): Promise<'ended' | 'detached'> {
  const { socket, stdin, output, tty } = options
  using raw = new DisposableStack()
  if (stdin && tty) raw.use(await cli.stdin.raw())
  const outputDone = copyOutput(cli, socket, tty).then((): 'ended' => 'ended')
  try {
    if (!stdin) return await outputDone
    const inputDone = copyInput(cli, options)
    const first = await Promise.race([outputDone, inputDone])
    return first === 'input-ended' && output ? await outputDone : first === 'detached' ? 'detached' : 'ended'
  } finally {
    outputDone.catch(() => {})
    // The terminal is given back before the stream that can do it is closed.
    raw.dispose()
    if (stdin) cli.stdin.release()
    socket.destroy()
  }
}

async function copyOutput(cli: Cli, socket: Socket, tty: boolean): Promise<void> {
  const decoder = new FrameDecoder()
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      if (tty) await cli.stdout.write(chunk)
      else {
        for (const { stream, payload } of mergeFrames(decoder.push(chunk))) {
          await (stream === 1 ? cli.stdout : cli.stderr).write(payload)
        }
      }
      // As a program that SIGPIPE ends: whoever read our output has gone.
      if (cli.stdout.closed) throw new ExitError(141)
    }
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) {
      throw unavailable(`lost the connection to the engine: ${messageOf(error)}`, { cause: error })
    }
    throw error
  }
}

function copyInput(cli: Cli, { socket, tty, detachKeys }: AttachedOptions): Promise<'input-ended' | 'detached'> {
  const { promise, resolve } = Promise.withResolvers<'input-ended' | 'detached'>()
  const filter = tty ? new DetachFilter(detachKeys) : undefined
  const input = cli.stdin.open()
  const resume = (): void => void input.resume()
  socket.on('drain', resume)
  socket.once('close', () => input.pause())
  const finish = (): void => {
    if (socket.writable) socket.end()
    resolve('input-ended')
  }
  input.on('data', (bytes: Buffer) => {
    if (!socket.writable) return
    const { pass, detached } = filter?.push(bytes) ?? { pass: bytes, detached: false }
    if (pass.length > 0 && !socket.write(pass)) input.pause()
    if (detached) resolve('detached')
  })
  input.once('end', finish)
  // A terminal that hangs up or an unreadable file: the container sees the end of its input, as with docker.
  input.once('error', finish)
  return promise
}
