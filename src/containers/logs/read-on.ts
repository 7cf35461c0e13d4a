import type { LogEntry } from '../requests.ts'
import { ChangeSignal } from './follow.ts'
import { LineSplitter, RecordParser } from './json-file.ts'
import { type LogFile, openLogFiles, openNext } from './log-files.ts'
import type { Position } from './position.ts'

const chunkSize = 256 << 10

export interface Progress {
  readonly entries: readonly LogEntry[]
  /** Behind them. */
  readonly position: Position
}

export interface ReadOn {
  /** Undefined: from the oldest entry on. */
  readonly from: Position | undefined
  /** Nothing more is written: the reading ends behind what is there. */
  readonly ended: AbortSignal
  readonly cancelled: AbortSignal
}

/** Whole entries from a position on, through rotations, and on as they are written. A position whose file is gone stands for the oldest entry there is. */
export async function* readOn(path: string, { from, ended, cancelled }: ReadOn): AsyncGenerator<Progress, void> {
  using changes = new ChangeSignal(path, AbortSignal.any([ended, cancelled]))
  await using opened = new AsyncDisposableStack()
  let file = await openAt(path, from?.inode)
  let offset = file && file.inode === from?.inode ? from.offset : 0
  if (file) opened.use(file)
  while (!cancelled.aborted) {
    // Before reading: what is written until then is read below, what comes later changes the directory again.
    const isOver = ended.aborted
    if (file)
      for await (const progress of readFile(file, offset, cancelled)) {
        offset = progress.position.offset
        yield progress
      }
    const next = await openNext(path, file)
    if (next) {
      opened.use(next)
      // What was appended between our last read and the rotation.
      if (file) yield* readFile(file, offset, cancelled)
      file = next
      offset = 0
    } else if (isOver) return
    else await changes.next()
  }
}

async function openAt(path: string, inode: bigint | undefined): Promise<LogFile | undefined> {
  const files = await openLogFiles(path)
  const wanted = files.findLast((file) => file.inode === inode) ?? files[0]
  await Promise.all(files.filter((file) => file !== wanted).map((file) => file[Symbol.asyncDispose]()))
  return wanted
}

/** From the offset to the present end. */
export async function* readFile(file: LogFile, start: number, cancelled: AbortSignal): AsyncGenerator<Progress, void> {
  const splitter = new LineSplitter()
  const records = new RecordParser()
  const { inode } = file
  const handle = await file.content()
  const { size } = await handle.stat()
  // A single file that is at its limit starts again empty.
  let offset = start > size ? 0 : start
  while (!cancelled.aborted) {
    const buffer = Buffer.allocUnsafe(chunkSize)
    const { bytesRead } = await handle.read(buffer, 0, chunkSize, offset)
    if (bytesRead === 0) return
    offset += bytesRead
    const entries: LogEntry[] = []
    for (const line of splitter.push(buffer.subarray(0, bytesRead))) {
      const entry = records.parse(line)
      if (entry) entries.push(entry)
    }
    yield { entries, position: { inode, offset: offset - splitter.pending } }
  }
}
