import { invalid } from '#base/errors.ts'

/** What an archive says of one file; its content is read before the next one is asked for. */
export interface ReadEntry {
  readonly type: string
  readonly name: string
  readonly target: string
  readonly mode: number
  readonly size: number
  /** Seconds since 1970. */
  readonly mtime: number
  content(): AsyncGenerator<Buffer>
}

const block = 512
const maxExtendedBytes = 1 << 20

/** The entries of a tar: ustar, pax, and GNU's long names.   @throws `invalid` for what is damaged or cut off */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<ReadEntry> {
  const bytes = new ByteSource(source)
  let extended: Record<string, string> = {}
  for (;;) {
    const header = await bytes.exactly(block)
    if (header === undefined || header.every((byte) => byte === 0)) return
    checkSum(header)
    const type = header.toString('latin1', 156, 157).replace('\0', '0')
    const size = Number(extended.size ?? number(header, 124, 12))
    if (type === 'x' || type === 'L' || type === 'K') {
      extended = { ...extended, ...(await readExtended(bytes, type, size)) }
      continue
    }
    const content = bytes.part(size)
    if (type !== 'g') yield { ...describe(header, extended), type, size, content: () => content.read() }
    await content.skip()
    await bytes.exactly((block - (size % block)) % block)
    if (type !== 'g') extended = {}
  }
}

function describe(header: Buffer, extended: Record<string, string>): Omit<ReadEntry, 'type' | 'size' | 'content'> {
  const prefix = header.toString('latin1', 257, 262) === 'ustar' ? text(header, 345, 155) : ''
  return {
    name: extended.path ?? (prefix === '' ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`),
    target: extended.linkpath ?? text(header, 157, 100),
    mode: number(header, 100, 8),
    mtime: Number(extended.mtime ?? number(header, 136, 12)),
  }
}

async function readExtended(bytes: ByteSource, type: string, size: number): Promise<Record<string, string>> {
  if (size > maxExtendedBytes) throw invalid('the archive has an extended header that is too large')
  const body = (await bytes.exactly(size + ((block - (size % block)) % block)))?.subarray(0, size)
  if (!body) throw cutOff()
  if (type !== 'x') return { [type === 'L' ? 'path' : 'linkpath']: body.toString().replace(/\0.*$/s, '') }
  const records: Record<string, string> = {}
  for (let at = 0; at < body.length; ) {
    const length = Number.parseInt(body.toString('latin1', at, at + 20), 10)
    if (!(length > 0) || at + length > body.length) throw invalid('the archive has a damaged extended header')
    const [, key = '', value = ''] = /^\d+ ([^=]+)=(.*)\n$/s.exec(body.toString('utf8', at, at + length)) ?? []
    records[key] = value
    at += length
  }
  return records
}

function checkSum(header: Buffer): void {
  const told = number(header, 148, 8)
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  if (told !== sum) throw invalid('what the engine sent is no tar archive, or a damaged one')
}

function text(header: Buffer, at: number, size: number): string {
  return header.toString('utf8', at, at + size).replace(/\0.*$/s, '')
}

/** Octal, or binary behind a set first bit. */
function number(header: Buffer, at: number, size: number): number {
  if ((header[at] ?? 0) & 0x80) return Number(header.readBigUInt64BE(at + size - 8))
  return Number.parseInt(text(header, at, size).trim() || '0', 8)
}

function cutOff(): Error {
  return invalid('the archive is cut off')
}

/** Chunks of any size → pieces of the sizes that are wanted. */
class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]()
  }

  /** Undefined at the end.   @throws `invalid` when it comes earlier */
  async exactly(size: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = []
    for (let left = size; left > 0; ) {
      const part = await this.atMost(left)
      if (!part && parts.length === 0) return undefined
      if (!part) throw cutOff()
      parts.push(part)
      left -= part.length
    }
    return Buffer.concat(parts)
  }

  async atMost(size: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#chunks.next()
      if (done) return undefined
      this.#rest = value
    }
    const part = this.#rest.subarray(0, size)
    this.#rest = this.#rest.subarray(part.length)
    return part
  }

  /** The next bytes, to be read or passed over. */
  part(size: number): { read(): AsyncGenerator<Buffer>; skip(): Promise<void> } {
    let left = size
    const next = async () => {
      const part = await this.atMost(left)
      if (!part) throw cutOff()
      left -= part.length
      return part
    }
    return {
      async *read() {
        while (left > 0) yield await next()
      },
      async skip() {
        while (left > 0) await next()
      },
    }
  }
}
