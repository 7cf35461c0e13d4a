import type { LogEntry, LogRequest } from '../requests.ts'
import { ChangeSignal } from './follow.ts'
import { LineSplitter, RecordParser } from './json-file.ts'
import { type LogFile, openLogFiles, openNext } from './log-files.ts'
import { seekTail, seekTime } from './seek.ts'

const chunkSize = 256 << 10

export interface ReadOptions extends Omit<LogRequest, 'follow'> {
  /** Goes on with what is written later, until one of them aborts: `ended` after all that is there was read, `cancelled` at once. */
  readonly follow: { readonly ended: AbortSignal } | undefined
  readonly cancelled: AbortSignal
}

/** One batch for each piece that is read: every level of asynchronous generators costs as much as parsing an entry does. */
type Batches<End = void> = AsyncGenerator<readonly LogEntry[], End, undefined>

/** The entries of a json-file log and its rotated parts, oldest first. */
export async function* readLog(path: string, options: ReadOptions): Batches {
  const { follow, cancelled } = options
  using changes = follow && new ChangeSignal(path, AbortSignal.any([follow.ended, cancelled]))
  await using parts = new AsyncDisposableStack()
  const files = (await openLogFiles(path)).map((file) => parts.use(file))
  const starts = await seek(files, options)
  for (const [index, start] of starts.entries()) {
    const file = files[index]
    const isLast = index === files.length - 1
    if (file && start !== undefined && !(isLast && follow))
      yield* readTo(file, { start, splitter: new LineSplitter() }, options)
  }
  const last = files.at(-1)
  if (changes && follow) {
    yield* readFollowing({ path, changes, ended: follow.ended }, { file: last, start: starts.at(-1) ?? 0 }, options)
  }
}

/** Where to begin in each file; undefined: not at all. */
async function seek(files: readonly LogFile[], { tail, since }: ReadOptions): Promise<(number | undefined)[]> {
  if (tail === undefined) {
    return Promise.all(files.map(({ handle }) => (since === undefined ? 0 : seekTime(handle, since))))
  }
  const starts: (number | undefined)[] = []
  let missing = tail
  for (const { handle } of files.toReversed()) {
    const isLive = starts.length === 0
    if (missing === 0) {
      starts.unshift(isLive ? (await handle.stat()).size : undefined)
      continue
    }
    const { offset, found } = await seekTail(handle, missing)
    missing -= Math.min(found, missing)
    starts.unshift(offset)
  }
  return starts
}

interface Following {
  readonly path: string
  readonly changes: ChangeSignal
  readonly ended: AbortSignal
}

async function* readFollowing(
  { path, changes, ended }: Following,
  from: { file: LogFile | undefined; start: number },
  options: ReadOptions,
): Batches {
  let { file, start } = from
  let splitter = new LineSplitter()
  await using opened = new AsyncDisposableStack()
  while (!options.cancelled.aborted) {
    // Before reading: what is written until then is read below, what comes later changes the directory again.
    const isOver = ended.aborted
    if (file) {
      // A single file that is at its limit begins again empty.
      if ((await file.handle.stat()).size < start) start = 0
      start = yield* readTo(file, { start, splitter }, options)
    }
    const next = await openNext(path, file?.inode ?? -1n)
    if (next) {
      opened.use(next)
      // Whatever was appended between our last read and the rotation is still read, from the descriptor that we hold.
      if (file) yield* readTo(file, { start, splitter }, options)
      file = next
      start = 0
      splitter = new LineSplitter()
      continue
    }
    if (isOver) return
    await changes.next()
  }
}

/** Reads to the present end.   @returns the offset there */
async function* readTo(
  { handle }: LogFile,
  { start, splitter }: { start: number; splitter: LineSplitter },
  options: ReadOptions,
): Batches<number> {
  const { since, until, cancelled } = options
  const records = new RecordParser()
  let offset = start
  while (!cancelled.aborted) {
    const buffer = Buffer.allocUnsafe(chunkSize)
    const { bytesRead } = await handle.read(buffer, 0, chunkSize, offset)
    if (bytesRead === 0) return offset
    offset += bytesRead
    const batch: LogEntry[] = []
    for (const line of splitter.push(buffer.subarray(0, bytesRead))) {
      const entry = records.parse(line)
      if (!entry || !options[entry.stream] || (since !== undefined && entry.time < since)) continue
      if (until !== undefined && entry.time > until) {
        yield batch
        return offset
      }
      batch.push(entry)
    }
    if (batch.length > 0) yield batch
  }
  return offset
}
