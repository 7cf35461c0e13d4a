import { conflict } from '#base/errors.ts'
import { AttachStream } from './attach-stream.ts'
import type { Container } from './container.ts'
import { publish } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import { DetachScanner, parseDetachKeys } from './detach-keys.ts'
import { isAlive } from './lifecycle.ts'
import { isReadable } from './logs/log-options.ts'
import { readLog } from './logs/log-reader.ts'
import type { AttachFlags } from './ports.ts'
import type { AttachedStream } from './requests.ts'

export interface AttachOptions {
  readonly detachKeys: string
  /** What was written before comes first. */
  readonly logs: boolean
  /** What is written from now on follows. */
  readonly stream: boolean
}

/** @throws `not-found`, `invalid` for bad detach keys, `conflict` for one that is paused or waits for its next attempt */
export async function attach(
  context: ContainerContext,
  name: string,
  { flags, options }: { flags: AttachFlags; options: AttachOptions },
): Promise<AttachedStream> {
  const container = context.store.get(name)
  const { status } = container.state
  if (status === 'paused') throw conflict(`container ${name} is paused, unpause the container before attach`)
  if (status === 'restarting') {
    throw conflict(`container ${name} is restarting, wait until the container is running`)
  }
  const { tty, openStdin } = container.config
  const detachKeys = parseDetachKeys(options.detachKeys)
  const effective: AttachFlags = { ...flags, stdin: flags.stdin && openStdin, framed: flags.framed && !tty }
  const stream = new AttachStream({
    scanner: tty && effective.stdin ? new DetachScanner(detachKeys) : undefined,
    onDetach: () => publish(context, container, 'detach'),
  })
  if (options.logs && isReadable(container.host.logConfig))
    await replay(stream, context.paths.log(container.id), effective)
  if (options.stream) await connect(context, container, { stream, flags: effective })
  else stream.finish()
  publish(context, container, 'attach')
  return { stream, tty }
}

async function connect(
  context: ContainerContext,
  container: Container,
  { stream, flags }: { stream: AttachStream; flags: AttachFlags },
): Promise<void> {
  // Without the lock a start could look for waiting clients just before this one begins to wait.
  using _held = await context.locks.acquire(container.id)
  const task = context.tasks.find(container.id)
  if (task && isAlive(context.store.get(container.id))) stream.connect(await task.shim.attach('', flags))
  else context.attaches.add(container.id, { stream, flags })
}

async function replay(stream: AttachStream, logPath: string, flags: AttachFlags): Promise<void> {
  const { stdout, stderr, framed } = flags
  const cancelled = new AbortController().signal
  const request = { stdout, stderr, tail: undefined, since: undefined, until: undefined, follow: undefined, cancelled }
  for await (const batch of readLog(logPath, request)) {
    for (const { stream: from, line } of batch) stream.replay(framed ? frame(from, line) : line)
  }
}

/** Docker's frame: stream number, three zeros, size as four bytes. */
export function frame(stream: 'stdout' | 'stderr', payload: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream === 'stdout' ? 1 : 2
  header.writeUInt32BE(payload.length, 4)
  return Buffer.concat([header, payload])
}
