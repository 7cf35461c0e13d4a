import type { FileHandle } from 'node:fs/promises'
import { RecordParser } from './json-file.ts'

const newline = 0x0a
const blockSize = 64 << 10
/** A record of 16 KiB of control characters, each escaped to six bytes, and its frame. */
const longestRecord = 128 << 10

/** Offset of the last `count` lines of the file, and how many there are of them; reads from the end. */
export async function seekTail(file: FileHandle, count: number): Promise<{ offset: number; found: number }> {
  const { size } = await file.stat()
  const buffer = Buffer.alloc(blockSize)
  let found = 0
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - blockSize)
    const { bytesRead } = await file.read(buffer, 0, end - start, start)
    for (let at = bytesRead - 1; at >= 0; at -= 1) {
      // The newline at the very end closes the last line; each one before it is where a line begins.
      if (buffer[at] !== newline || start + at === size - 1) continue
      found += 1
      if (found === count) return { offset: start + at + 1, found }
    }
    end = start
  }
  return { offset: 0, found: size > 0 ? found + 1 : 0 }
}

/** Offset from which on all records are of `since` or later. Records are in the order of their times: it halves the file. */
export async function seekTime(file: FileHandle, since: bigint): Promise<number> {
  let { size: high } = await file.stat()
  let low = 0
  // Below the size of one record reading on is cheaper than halving, and needs no care for where records begin.
  while (high - low > longestRecord) {
    const middle = Math.trunc((low + high) / 2)
    const record = await firstRecordAfter(file, middle)
    if (record !== undefined && record.time < since) low = record.offset
    else high = middle
  }
  return low
}

/** The first whole record that begins after the offset. */
async function firstRecordAfter(
  file: FileHandle,
  offset: number,
): Promise<{ offset: number; time: bigint } | undefined> {
  const buffer = Buffer.alloc(2 * longestRecord)
  const { bytesRead } = await file.read(buffer, 0, buffer.length, offset)
  const data = buffer.subarray(0, bytesRead)
  for (let start = data.indexOf(newline) + 1; start > 0; start = data.indexOf(newline, start) + 1) {
    const end = data.indexOf(newline, start)
    if (end < 0) return undefined
    const record = new RecordParser().parse(data.subarray(start, end))
    if (record) return { offset: offset + start, time: record.time }
  }
  return undefined
}
