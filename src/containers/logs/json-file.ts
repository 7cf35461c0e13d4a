import { parseNanos } from '#base/timestamp.ts'
import type { LogEntry } from '../requests.ts'

const newline = 0x0a
const quote = 0x22
const backslash = 0x5c
const lowerN = 0x6e
const letterT = 0x54
const letterE = 0x65
const letterO = 0x6f
const letterR = 0x72
const letterU = 0x75
const letterZ = 0x5a

/** Our shim's records: `{"log":"…","stream":"stdout","time":"…"}`, always in this order. @see shim/log-record.c */
const head = Buffer.from('{"log":"')
const middle = Buffer.from('","stream":"std...","time":')
const wordAt = middle.indexOf('...')

/** Reads records of a json-file log. */
export class RecordParser {
  /** The shim stamps everything that it reads at once with one time. */
  #lastText = ''
  #lastNanos: bigint | undefined

  /** A record without its newline; undefined for what is none: a line torn by a crash. May write into the line, which the entry then is a part of. */
  parse(line: Buffer): LogEntry | undefined {
    return this.#parsePlain(line) ?? this.#parseAny(line)
  }

  /** What has nothing escaped but its newline needs no JSON parser: ten times as fast. */
  #parsePlain(line: Buffer): LogEntry | undefined {
    const end = line.length
    if (end < head.length + middle.length || line[end - 2] !== quote) return undefined
    const timeStart = line.lastIndexOf(quote, end - 3) + 1
    const textEnd = timeStart - 1 - middle.length
    if (textEnd < head.length || !matches(line, head, 0) || !matches(line, middle, textEnd)) return undefined
    const stream = streamOf(line, textEnd + wordAt)
    const escapeAt = line.indexOf(backslash, head.length)
    const isLine = escapeAt === textEnd - 2 && line[escapeAt + 1] === lowerN
    if (!stream || (escapeAt >= 0 && escapeAt < textEnd && !isLine)) return undefined
    if (line[timeStart + 10] !== letterT || line[end - 3] !== letterZ) return undefined
    if (isLine) line[escapeAt] = newline
    const text = line.subarray(head.length, isLine ? escapeAt + 1 : textEnd)
    return new PlainEntry(stream, text, { record: line, timeStart })
  }

  #parseAny(line: Buffer): LogEntry | undefined {
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

/** Most readers never ask for the time. */
class PlainEntry implements LogEntry {
  readonly stream: 'stdout' | 'stderr'
  readonly line: Buffer
  readonly #record: Buffer
  readonly #timeStart: number

  constructor(stream: 'stdout' | 'stderr', line: Buffer, { record, timeStart }: { record: Buffer; timeStart: number }) {
    this.stream = stream
    this.line = line
    this.#record = record
    this.#timeStart = timeStart
  }

  get time(): bigint {
    return parseNanos(this.#record.toString('latin1', this.#timeStart, this.#record.length - 2)) ?? 0n
  }
}

/** Dots of the pattern stand for any byte. */
function matches(line: Buffer, pattern: Buffer, at: number): boolean {
  for (let index = 0; index < pattern.length; index += 1) {
    if (pattern[index] !== line[at + index] && pattern[index] !== 0x2e) return false
  }
  return true
}

function streamOf(line: Buffer, at: number): 'stdout' | 'stderr' | undefined {
  const isStdout = line[at] === letterO && line[at + 1] === letterU
  return isStdout ? 'stdout' : line[at] === letterE && line[at + 1] === letterR ? 'stderr' : undefined
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

  /** Bytes of the unfinished line. */
  get pending(): number {
    return this.#rest.length
  }
}
