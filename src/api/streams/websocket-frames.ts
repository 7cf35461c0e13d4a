import { createHash } from 'node:crypto'

/** @see RFC 6455, section 5.2 */
const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
const finalBit = 0x80
const reservedBits = 0x70
const maskBit = 0x80
const maxControlBytes = 125
const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** What the handshake's answer proves. @see RFC 6455, section 4.2.2 */
export function acceptKey(key: string): string {
  return createHash('sha1').update(`${key}${guid}`).digest('base64')
}

/** A whole message, unmasked, as servers send. */
export function encodeFrame(kind: 'text' | 'binary' | 'close' | 'pong', payload: Uint8Array): Buffer {
  const { length } = payload
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const head = Buffer.alloc(2 + extended)
  head[0] = finalBit | opcodes[kind]
  head[1] = extended === 0 ? length : extended === 2 ? 126 : 127
  if (extended === 2) head.writeUInt16BE(length, 2)
  if (extended === 8) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, payload])
}

/** Going away in order, with a code of RFC 6455, section 7.4.1. */
export function encodeClose(code: 1000 | 1002): Buffer {
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(code)
  return encodeFrame('close', payload)
}

export type Decoded =
  /** A part of a message; messages have no meaning here. */
  | { readonly kind: 'data'; readonly bytes: Buffer }
  | { readonly kind: 'ping'; readonly bytes: Buffer }
  | { readonly kind: 'close' }
  /** The client breaks the protocol: nothing after this is read. */
  | { readonly kind: 'broken' }

interface Head {
  readonly opcode: number
  readonly mask: Buffer
  /** Bytes of payload still to come. */
  left: number
  /** How many there were. */
  done: number
}

/** Frames of a client, from bytes in any pieces. Payloads of data are passed on as they come, whatever a frame says of its size. */
export class FrameDecoder {
  #rest: Buffer = Buffer.alloc(0)
  #head: Head | undefined
  #ended = false

  push(bytes: Buffer): Decoded[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const decoded: Decoded[] = []
    while (!this.#ended) {
      this.#head ??= this.#takeHead()
      const head = this.#head
      if (head === undefined) break
      const isControl = head.opcode >= opcodes.close
      if (this.#rest.length < (isControl ? head.left : Math.min(head.left, 1))) break
      const payload = this.#takePayload(head)
      if (head.left === 0) this.#head = undefined
      const found = toDecoded(head, payload)
      this.#ended = found?.kind === 'close' || found?.kind === 'broken'
      if (found) decoded.push(found)
    }
    return decoded
  }

  #takeHead(): Head | undefined {
    const [first, second] = this.#rest
    if (first === undefined || second === undefined) return undefined
    const opcode = first & 0x0f
    const isControl = opcode >= opcodes.close
    const short = second & ~maskBit
    const known = Object.values<number>(opcodes).includes(opcode)
    if (!known || first & reservedBits || !(second & maskBit)) return broken
    if (isControl && (short > maxControlBytes || !(first & finalBit))) return broken
    const extended = short < 126 ? 0 : short === 126 ? 2 : 8
    const size = 2 + extended + 4
    if (this.#rest.length < size) return undefined
    const length =
      extended === 0 ? short : extended === 2 ? this.#rest.readUInt16BE(2) : Number(this.#rest.readBigUInt64BE(2))
    if (!Number.isSafeInteger(length)) return broken
    const mask = this.#rest.subarray(2 + extended, size)
    this.#rest = this.#rest.subarray(size)
    return { opcode, mask, left: length, done: 0 }
  }

  #takePayload(head: Head): Buffer {
    const payload = Buffer.from(this.#rest.subarray(0, head.left))
    this.#rest = this.#rest.subarray(payload.length)
    for (let at = 0; at < payload.length; at += 1) {
      payload[at] = (payload[at] ?? 0) ^ (head.mask[(head.done + at) & 3] ?? 0)
    }
    head.left -= payload.length
    head.done += payload.length
    return payload
  }
}

function toDecoded(head: Head, bytes: Buffer): Decoded | undefined {
  if (head === broken) return { kind: 'broken' }
  if (head.opcode === opcodes.ping) return { kind: 'ping', bytes }
  if (head.opcode === opcodes.close) return { kind: 'close' }
  return head.opcode < opcodes.close && bytes.length > 0 ? { kind: 'data', bytes } : undefined
}

const broken: Head = { opcode: -1, mask: Buffer.alloc(0), left: 0, done: 0 }
