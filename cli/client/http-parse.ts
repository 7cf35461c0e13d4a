import { internal } from '#base/errors.ts'

export interface ResponseHead {
  readonly status: number
  readonly reason: string
  /** Names in lower case; repeated headers are joined with ", ". */
  readonly headers: ReadonlyMap<string, string>
}

/** The head and how many bytes it took, or undefined when more bytes are needed.   @throws `internal` when it is not HTTP */
export function parseHead(bytes: Buffer): { head: ResponseHead; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const match = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine)
  if (!match) throw internal(`malformed HTTP response ${JSON.stringify(statusLine.slice(0, 80))}`)
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon <= 0) throw internal(`malformed HTTP header ${JSON.stringify(line.slice(0, 80))}`)
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return { head: { status: Number(match[1]), reason: match[2] ?? '', headers }, length: end + 4 }
}

/** Turns the bytes behind a head into the body's bytes. `done` is true when the body is complete. */
export interface BodyDecoder {
  readonly done: boolean
  push(chunk: Buffer): Buffer[]
  /** The connection ended.   @throws `internal` when the body is not complete */
  end(): void
}

/** @see RFC 9112 section 6.3: which of the three framings a response has */
export function decoderOf(head: ResponseHead, method: string): BodyDecoder {
  const { status, headers } = head
  if (method === 'HEAD' || status === 204 || status === 304) return new SizedDecoder(0)
  if (headers.get('transfer-encoding')?.toLowerCase().includes('chunked')) return new ChunkedDecoder()
  const length = headers.get('content-length')
  if (length === undefined) return new OpenDecoder()
  if (!/^\d+$/.test(length)) throw internal(`malformed Content-Length ${JSON.stringify(length)}`)
  return new SizedDecoder(Number(length))
}

class SizedDecoder implements BodyDecoder {
  #left: number

  constructor(length: number) {
    this.#left = length
  }

  get done(): boolean {
    return this.#left === 0
  }

  push(chunk: Buffer): Buffer[] {
    const part = chunk.subarray(0, this.#left)
    this.#left -= part.length
    return part.length > 0 ? [part] : []
  }

  end(): void {
    if (this.#left > 0) throw internal('unexpected EOF: the engine closed the connection in the middle of an answer')
  }
}

class OpenDecoder implements BodyDecoder {
  readonly done = false

  push(chunk: Buffer): Buffer[] {
    return [chunk]
  }

  end(): void {}
}

const maxLine = 16 * 1024

/** Chunk sizes and the ends of lines may be cut anywhere. */
class ChunkedDecoder implements BodyDecoder {
  #state: 'size' | 'data' | 'data-end' | 'trailer' | 'done' = 'size'
  #line = ''
  #left = 0

  get done(): boolean {
    return this.#state === 'done'
  }

  push(chunk: Buffer): Buffer[] {
    const parts: Buffer[] = []
    let at = 0
    while (at < chunk.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const part = chunk.subarray(at, at + this.#left)
        parts.push(part)
        at += part.length
        this.#left -= part.length
        if (this.#left === 0) this.#state = 'data-end'
        continue
      }
      const newline = chunk.indexOf(10, at)
      this.#line += chunk.toString('latin1', at, newline < 0 ? chunk.length : newline)
      if (this.#line.length > maxLine) throw internal('malformed chunked answer: a line is too long')
      if (newline < 0) break
      at = newline + 1
      this.#endLine(this.#line.replace(/\r$/, ''))
      this.#line = ''
    }
    return parts
  }

  end(): void {
    if (!this.done) throw internal('unexpected EOF: the engine closed the connection in the middle of an answer')
  }

  #endLine(line: string): void {
    if (this.#state === 'size') {
      const match = /^([0-9a-f]{1,13})[ \t]*(;.*)?$/i.exec(line)
      if (!match) throw internal(`malformed chunk size ${JSON.stringify(line.slice(0, 40))}`)
      this.#left = Number.parseInt(match[1] ?? '', 16)
      this.#state = this.#left === 0 ? 'trailer' : 'data'
    } else if (this.#state === 'data-end') {
      if (line !== '') throw internal('malformed chunked answer: a chunk is longer than it said')
      this.#state = 'size'
    } else if (line === '') {
      this.#state = 'done'
    }
  }
}
