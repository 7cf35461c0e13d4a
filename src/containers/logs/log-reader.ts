import type { LogEntry, LogRequest } from '../requests.ts'
import { type LogFile, openLogFiles } from './log-files.ts'
import type { Position } from './position.ts'
import { type Progress, readFile, readOn } from './read-on.ts'
import { seekTail, seekTime } from './seek.ts'

export interface ReadOptions extends Omit<LogRequest, 'follow'> {
  /** Goes on with what is written later, until one of them aborts: `ended` after all that is there was read, `cancelled` at once. */
  readonly follow: { readonly ended: AbortSignal } | undefined
  readonly cancelled: AbortSignal
}

/** One batch for each piece that is read: every level of asynchronous generators costs as much as parsing an entry does. */
type Batches = AsyncGenerator<readonly LogEntry[], void, undefined>

/** The entries of a json-file log and its rotated parts, oldest first. */
export async function* readLog(path: string, options: ReadOptions): Batches {
  const { follow, cancelled } = options
  let live: Position | undefined
  // While it is open nobody else gets its inode, by which it is found again.
  await using kept = new AsyncDisposableStack()
  {
    await using parts = new AsyncDisposableStack()
    const files = await openLogFiles(path)
    for (const file of files) (file === files.at(-1) ? kept : parts).use(file)
    const starts = await seek(files, options)
    for (const [index, file] of files.entries()) {
      const start = starts[index]
      if (follow && index === files.length - 1) live = { inode: file.inode, offset: start ?? 0 }
      else if (start !== undefined) yield* selected(readFile(file, start, cancelled), options)
      if (file !== files.at(-1)) await file[Symbol.asyncDispose]()
    }
  }
  if (follow) yield* selected(readOn(path, { from: live, ended: follow.ended, cancelled }), options)
}

/** Those that were asked for; ends behind `until`. */
async function* selected(pieces: AsyncIterable<Progress>, options: ReadOptions): Batches {
  const { since, until } = options
  for await (const { entries } of pieces) {
    const end = until === undefined ? -1 : entries.findIndex(({ time }) => time > until)
    const batch = (end < 0 ? entries : entries.slice(0, end)).filter(
      (entry) => options[entry.stream] && (since === undefined || entry.time >= since),
    )
    if (batch.length > 0) yield batch
    if (end >= 0) return
  }
}

/** Where to begin in each file; undefined: not at all. */
async function seek(files: readonly LogFile[], { tail, since }: ReadOptions): Promise<(number | undefined)[]> {
  if (tail === undefined) {
    return Promise.all(files.map((file) => (since === undefined ? 0 : seekSince(file, since))))
  }
  const starts: (number | undefined)[] = []
  let missing = tail
  for (const file of files.toReversed()) {
    const isLive = starts.length === 0
    if (missing === 0) {
      starts.unshift(isLive ? (await (await file.content()).stat()).size : undefined)
      continue
    }
    const { offset, found } = await seekTail(await file.content(), missing)
    missing -= Math.min(found, missing)
    starts.unshift(offset)
  }
  return starts
}

/** A clock that steps back by less than a second lets times stand still, which are then later than the file's. */
const standstill = 2_000_000_000n

async function seekSince(file: LogFile, since: bigint): Promise<number | undefined> {
  if (file.isCompressed && (await file.writtenAt()) + standstill < since) return undefined
  return await seekTime(await file.content(), since)
}
