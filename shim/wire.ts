/** Little-endian fields without padding: the writing and reading side of one frame's payload. Pure. */
import { dataLoss, invalid } from '#base/errors.ts'

/** Collects fields; `bytes()` gives the payload. */
export class WireWriter {
  readonly #parts: Buffer[] = []

  u8(value: number): this {
    return this.#fixed(1, (part) => part.writeUInt8(value))
  }

  u16(value: number): this {
    return this.#fixed(2, (part) => part.writeUInt16LE(value))
  }

  u32(value: number): this {
    return this.#fixed(4, (part) => part.writeUInt32LE(value))
  }

  i32(value: number): this {
    return this.#fixed(4, (part) => part.writeInt32LE(value))
  }

  u64(value: bigint): this {
    return this.#fixed(8, (part) => part.writeBigUInt64LE(value))
  }

  /** @throws `invalid` past 65,535 bytes of UTF-8. */
  string(value: string): this {
    const bytes = Buffer.from(value)
    if (bytes.length > 0xffff) throw invalid(`a string of ${bytes.length} bytes does not fit into a shim frame`)
    this.u16(bytes.length)
    this.#parts.push(bytes)
    return this
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }

  #fixed(size: number, write: (part: Buffer) => void): this {
    const part = Buffer.alloc(size)
    write(part)
    this.#parts.push(part)
    return this
  }
}

/** Takes fields off a payload. @throws `data-loss` when the payload ends inside a field. */
export class WireReader {
  readonly #payload: Buffer
  #at = 0

  constructor(payload: Buffer) {
    this.#payload = payload
  }

  u8(): number {
    return this.#payload.readUInt8(this.#take(1))
  }

  u16(): number {
    return this.#payload.readUInt16LE(this.#take(2))
  }

  u32(): number {
    return this.#payload.readUInt32LE(this.#take(4))
  }

  i32(): number {
    return this.#payload.readInt32LE(this.#take(4))
  }

  u64(): bigint {
    return this.#payload.readBigUInt64LE(this.#take(8))
  }

  string(): string {
    const size = this.u16()
    const start = this.#take(size)
    return this.#payload.toString('utf8', start, start + size)
  }

  #take(size: number): number {
    const start = this.#at
    if (start + size > this.#payload.length) {
      throw dataLoss(`a shim frame of ${this.#payload.length} bytes ends inside the field at byte ${start}`)
    }
    this.#at = start + size
    return start
  }
}
