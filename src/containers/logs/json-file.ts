import { parseNanos } from '#base/timestamp.ts'
import type { LogEntry } from '../requests.ts'

const newline = 0x0a

/** One record of a json-file log, without its newline; undefined for what is none: a line torn by a crash. */
export function parseRecord(line: Buffer): LogEntry | undefined {
  let value: unknown
  try {
    value = JSON.parse(line.toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('log' in value) || !('time' in value)) return undefined
  const time = typeof value.time === 'string' ? parseNanos(value.time) : undefined
  if (typeof value.log !== 'string' || time === undefined) return undefined
  const stream = 'stream' in value && value.stream === 'stderr' ? 'stderr' : 'stdout'
  return { stream, time, line: Buffer.from(value.log) }
}

/** Cuts chunks into lines; keeps an unfinished one until the rest of it comes. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  *push(chunk: Buffer): Generator<Buffer, void, undefined> {
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    let from = 0
    for (let at = data.indexOf(newline); at >= 0; at = data.indexOf(newline, from)) {
      yield data.subarray(from, at)
      from = at + 1
    }
    this.#rest = from < data.length ? Buffer.from(data.subarray(from)) : Buffer.alloc(0)
  }
}
