/**
 * A daemon's side of protocol 1, written from its bytes and never changed again: what it does with a shim, the daemons of the
 * releases that spoke it do.
 */
import { Socket } from 'node:net'
import type { ShimKernel } from '#shim/kernel.ts'

interface Event {
  readonly serial: bigint
  readonly type: number
  readonly payload: Buffer
}

export class Protocol1 {
  /** 0 on a connection to a shim that somebody else spawned. */
  readonly pid: number
  readonly ended: Promise<void>
  readonly #kernel: ShimKernel
  readonly #descriptor: number
  readonly #socket: Socket
  readonly #results = new Map<bigint, PromiseWithResolvers<Buffer>>()
  readonly #events: Event[] = []
  #onEvent = Promise.withResolvers<void>()
  #pending = Buffer.alloc(0)
  #lastId = 0n

  private constructor(kernel: ShimKernel, descriptor: number, pid: number) {
    this.pid = pid
    this.#kernel = kernel
    this.#descriptor = descriptor
    this.#socket = new Socket({ fd: descriptor, readable: true, writable: true })
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.ended = new Promise((resolve) => this.#socket.on('close', () => resolve()))
  }

  static spawn(kernel: ShimKernel, executable: number): Protocol1 {
    const [ours, theirs] = kernel.socketPair()
    const pid = kernel.spawnShim(executable, theirs, 2)
    kernel.close(theirs)
    return new Protocol1(kernel, ours, pid)
  }

  static connect(kernel: ShimKernel, path: string): Protocol1 {
    return new Protocol1(kernel, kernel.connect(path), 0)
  }

  /** @returns the protocol that the shim chose */
  async hello(): Promise<number> {
    return (await this.request(1, Buffer.from([1, 0, 1, 0]))).readUInt16LE(0)
  }

  /** @param plan closed here   @returns the answer's fields; throws its errno and text */
  request(type: number, payload: Buffer, plan?: number): Promise<Buffer> {
    const id = ++this.#lastId
    const result = Promise.withResolvers<Buffer>()
    this.#results.set(id, result)
    this.#kernel.send(this.#descriptor, frameOf(type, id, payload), plan === undefined ? [] : [plan])
    if (plan !== undefined) this.#kernel.close(plan)
    return result.promise
  }

  acknowledge(serial: bigint): void {
    const payload = Buffer.alloc(8)
    payload.writeBigUInt64LE(serial)
    this.#kernel.send(this.#descriptor, frameOf(13, ++this.#lastId, payload), [])
  }

  async event(type: number): Promise<Event> {
    for (;;) {
      const found = this.#events.find((event) => event.type === type)
      if (found) return found
      await this.#onEvent.promise
    }
  }

  text(value: string): Buffer {
    const size = Buffer.alloc(2)
    size.writeUInt16LE(Buffer.byteLength(value))
    return Buffer.concat([size, Buffer.from(value)])
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk])
    while (this.#pending.length >= 16 && this.#pending.length >= 16 + this.#pending.readUInt32LE(0)) {
      const size = this.#pending.readUInt32LE(0)
      const type = this.#pending.readUInt16LE(4)
      const serial = this.#pending.readBigUInt64LE(8)
      const payload = this.#pending.subarray(16, 16 + size)
      this.#pending = this.#pending.subarray(16 + size)
      if (type === 0x100) this.#settle(serial, payload)
      else {
        this.#events.push({ serial, type, payload })
        this.#onEvent.resolve()
        this.#onEvent = Promise.withResolvers<void>()
      }
    }
  }

  #settle(id: bigint, payload: Buffer): void {
    const errno = payload.readInt32LE(0)
    const result = this.#results.get(id)
    if (errno === 0) result?.resolve(payload.subarray(4))
    else result?.reject(new Error(`errno ${errno}: ${payload.subarray(6).toString()}`))
  }
}

function frameOf(type: number, id: bigint, payload: Buffer): Buffer {
  const header = Buffer.alloc(16)
  header.writeUInt32LE(payload.length, 0)
  header.writeUInt16LE(type, 4)
  header.writeBigUInt64LE(id, 8)
  return Buffer.concat([header, payload])
}
