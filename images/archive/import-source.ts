import type { Readable } from 'node:stream'
import { onAbort } from '#base/abort.ts'
import type { AddImagePorts } from '../transfer/add-image.ts'
import type { PullProgress } from '../transfer/progress.ts'
import { ProgressFeed, throttled } from '../transfer/progress-feed.ts'
import { type ImportRequest, importImage } from './import.ts'
import { openRemoteArchive, type RemoteArchive, type RemotePorts } from './remote-archive.ts'

export interface ImportFrom extends Omit<ImportRequest, 'archive' | 'size' | 'message'> {
  /** The archive itself, or the address of a web server that has it. */
  readonly source: Readable | string
  /** For the history; empty tells where the archive came from. */
  readonly message: string
}

export interface RunningImport {
  /** Ends with the id as a status; throws what the import failed of. */
  readonly progress: AsyncIterable<PullProgress>
  /** Never rejects: everything has ended and is cleaned up. */
  readonly done: Promise<void>
}

export type ImportPorts = AddImagePorts & RemotePorts

/** Imports an archive. Resolves when one that is sent has become an image, or when a web server has begun to answer: what goes wrong until
 *  then is thrown here.   @throws `invalid`, `not-found`, `unavailable` */
export async function startImport(ports: ImportPorts, from: ImportFrom, signal: AbortSignal): Promise<RunningImport> {
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
): Promise<RunningImport> {
  const controller = new AbortController()
  const parent = onAbort(signal, () => controller.abort(signal.reason))
  const feed = new ProgressFeed(async () => {
    controller.abort()
    await done
  })
  const remote = await openRemoteArchive(ports, source, controller.signal)
  feed.push({ status: `Downloading from ${remote.url}` })
  const work = {
    ...request,
    archive: remote.body,
    size: remote.size,
    message: message || `Imported from ${remote.url}`,
  }
  const done = importRemote(ports, { remote, work, feed, signal: controller.signal })
    .then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    .then((failure) => {
      parent[Symbol.dispose]()
      feed.end(failure)
    })
  return { progress: feed, done }
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
