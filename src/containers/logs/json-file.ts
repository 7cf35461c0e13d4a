import { parseNanos } from '#base/timestamp.ts'
import type { LogEntry } from '../requests.ts'

const newline = 0x0a

/** Reads records of a json-file log. */
export class RecordParser {
  /** The shim stamps everything that it reads at once with one time. */
  #lastText = ''
  #lastNanos: bigint | undefined

  /** A record without its newline; undefined for what is none: a line torn by a crash. */
  parse(line: Buffer): LogEntry | undefined {
    let value: unknown
    try {
      value = JSON.parse(line.toString('utf8'))
    } catch {
      return undefined
    }
    if (typeof value !== 'object' || value === null || !('log' in value) || !('time' in value)) return undefined
    const time = typeof value.time === 'string' ? this.#toNanos(value.time) : undefined
    if (typeof value.log !== 'string' || time === undefined) return undefined
    const stream = 'stream' in value && value.stream === 'stderr' ? 'stderr' : 'stdout'
    return { stream, time, line: Buffer.from(value.log) }
  }

  #toNanos(text: string): bigint | undefined {
    if (text !== this.#lastText) {
      this.#lastText = text
      this.#lastNanos = parseNanos(text)
    }
    return this.#lastNanos
  }
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
