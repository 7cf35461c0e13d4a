import type { Readable } from 'node:stream'
import type { AddImagePorts } from '../transfer/add-image.ts'
import type { PullProgress } from '../transfer/progress.ts'
import { type ProgressFeed, throttled } from '../transfer/progress-feed.ts'
import { type RunningTransfer, startTransfer } from '../transfer/running-transfer.ts'
import { type ImportRequest, importImage } from './import.ts'
import { openRemoteArchive, type RemoteArchive, type RemotePorts } from './remote-archive.ts'

export interface ImportFrom extends Omit<ImportRequest, 'archive' | 'size' | 'message'> {
  /** The archive itself, or the address of a web server that has it. */
  readonly source: Readable | string
  /** For the history; empty tells where the archive came from. */
  readonly message: string
}

export type ImportPorts = AddImagePorts & RemotePorts

/** Imports an archive. Resolves when one that is sent has become an image, or when a web server has begun to answer: what goes wrong until
 *  then is thrown here. The id ends the progress, as a status.   @throws `invalid`, `not-found`, `unavailable` */
export async function startImport(
  ports: ImportPorts,
  from: ImportFrom,
  signal: AbortSignal,
): Promise<RunningTransfer<PullProgress>> {
  const { source, message, ...request } = from
  if (typeof source === 'string') return await startRemote(ports, { ...request, source, message }, signal)
  const id = await importImage(ports, { ...request, archive: source, message: message || 'Imported from -' }, signal)
  return { progress: oneLine({ status: id }), done: Promise.resolve() }
}

async function* oneLine(line: PullProgress): AsyncGenerator<PullProgress, void, undefined> {
  yield line
}

async function startRemote(
  ports: ImportPorts,
  { source, message, ...request }: ImportFrom & { readonly source: string },
  signal: AbortSignal,
): Promise<RunningTransfer<PullProgress>> {
  const remote = await openRemoteArchive(ports, source, signal)
  const work = {
    ...request,
    archive: remote.body,
    size: remote.size,
    message: message || `Imported from ${remote.url}`,
  }
  return startTransfer<PullProgress>(signal, async (feed, ended) => {
    feed.push({ status: `Downloading from ${remote.url}` })
    await importRemote(ports, { remote, work, feed, signal: ended })
  })
}

async function importRemote(
  ports: ImportPorts,
  run: { remote: RemoteArchive; work: ImportRequest; feed: ProgressFeed; signal: AbortSignal },
): Promise<void> {
  const { remote, work, feed, signal } = run
  await using _ = remote
  const tell = (current: number) =>
    feed.push({ status: 'Importing', detail: { current, ...(remote.size !== undefined && { total: remote.size }) } })
  const report = throttled(tell)
  let current = 0
  remote.body.on('data', (chunk: Buffer) => {
    current += chunk.length
    report(current)
  })
  // Counting alone must not make it flow; it does so when it is read.
  remote.body.pause()
  const id = await importImage(ports, work, signal)
  tell(current)
  feed.push({ status: id })
}
