import { Socket } from 'node:net'
import { type BerthError, internal, messageOf, systemCode, timeout, unavailable } from '#base/errors.ts'
import type { ShimKernel } from './kernel.ts'
import {
  answerTypes,
  decodeEvent,
  decodeResult,
  encodeRequest,
  type Frame,
  FrameReader,
  type Request,
  type ShimEvent,
} from './protocol.ts'
import { resultError } from './result-error.ts'
import type { WireReader } from './wire.ts'

export interface ShimClientOptions {
  readonly kernel: ShimKernel
  /** A connected stream socket; ours from now on. */
  readonly descriptor: number
  /** How long a request may wait for its RESULT; a frozen shim must not hang its caller. */
  readonly timeoutMs?: number
  readonly onEvent: (event: ShimEvent) => void
  /** Called once, after every pending request has failed. */
  readonly onClose: (reason: BerthError) => void
}

interface Pending {
  readonly resolve: (fields: WireReader) => void
  readonly reject: (error: unknown) => void
  readonly timer: NodeJS.Timeout
}

interface Outgoing {
  readonly id: bigint
  readonly frame: Buffer
  readonly descriptors: readonly number[]
}

const retryMs = 20

/** One connection to one shim: requests and their results by id, events as they come. */
export class ShimClient implements AsyncDisposable {
  readonly #kernel: ShimKernel
  readonly #descriptor: number
  readonly #socket: Socket
  readonly #timeoutMs: number
  readonly #onEvent: (event: ShimEvent) => void
  readonly #onClose: (reason: BerthError) => void
  readonly #frames = new FrameReader()
  readonly #pending = new Map<bigint, Pending>()
  readonly #outgoing: Outgoing[] = []
  readonly #closed = Promise.withResolvers<void>()
  #retry: NodeJS.Timeout | undefined
  /** The shim has closed its end. What it said before is still to be read; then the connection fails what is pending. */
  #mute = false
  #lastId = 0n
  #reason: BerthError | undefined

  constructor({ kernel, descriptor, timeoutMs = 30_000, onEvent, onClose }: ShimClientOptions) {
    this.#kernel = kernel
    this.#descriptor = descriptor
    this.#timeoutMs = timeoutMs
    this.#onEvent = onEvent
    this.#onClose = onClose
    this.#socket = new Socket({ fd: descriptor, readable: true, writable: true })
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.#socket.on('error', (error) => this.#fail(unavailable('the connection to the shim broke', { cause: error })))
    this.#socket.on('close', () => {
      this.#fail(unavailable('the shim has ended'))
      this.#closed.resolve()
    })
  }

  /** Fulfilled when the connection has ended, from whichever side. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /**
   * @param descriptors travel with the frame as copies; the caller keeps its own until the promise is settled.
   * @throws the shim's error, `unavailable` when the connection ends first, `timeout`
   */
  request(request: Request, descriptors: readonly number[] = []): Promise<WireReader> {
    if (this.#reason) return Promise.reject(this.#reason)
    const id = ++this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<WireReader>()
    const timer = setTimeout(() => {
      this.#pending.delete(id)
      this.#forget(id)
      reject(timeout(`the shim did not answer '${request.type}' within ${this.#timeoutMs} ms`))
    }, this.#timeoutMs)
    this.#pending.set(id, { resolve, reject, timer })
    this.#send({ id, frame: encodeRequest(id, request), descriptors })
    return promise
  }

  /** The shim forgets the event. Nothing comes back; on a connection that has ended it does nothing. */
  acknowledge(serial: bigint): void {
    if (this.#reason) return
    const id = ++this.#lastId
    this.#send({ id, frame: encodeRequest(id, { type: 'ack', serial }), descriptors: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
    await this.#closed.promise
  }

  #send(outgoing: Outgoing): void {
    if (this.#mute) return
    this.#outgoing.push(outgoing)
    if (this.#retry === undefined) this.#flush()
  }

  /** A request that waits for room must not go out later with descriptors that its caller has closed by then. */
  #forget(id: bigint): void {
    const at = this.#outgoing.findIndex((outgoing) => outgoing.id === id)
    if (at >= 0) this.#outgoing.splice(at, 1)
  }

  /** Descriptors need sendmsg(2), which Node does not have; so nothing tells us when a full socket has room again. */
  #flush(): void {
    this.#retry = undefined
    for (;;) {
      const next = this.#outgoing[0]
      if (next === undefined || this.#reason) return
      try {
        this.#kernel.send(this.#descriptor, next.frame, next.descriptors)
      } catch (error) {
        if (systemCode(error) === 'EAGAIN') this.#retry = setTimeout(() => this.#flush(), retryMs)
        else this.#mute = true
        return
      }
      this.#outgoing.shift()
    }
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#frames.push(chunk)) this.#handle(frame)
    } catch (error) {
      this.#fail(internal(`the shim sent what is not our protocol: ${messageOf(error)}`, { cause: error }))
    }
  }

  #handle(frame: Frame): void {
    if (frame.type !== answerTypes.result) {
      const event = decodeEvent(frame)
      if (event) this.#onEvent(event)
      return
    }
    const pending = this.#pending.get(frame.id)
    if (!pending) return // its caller has given up
    this.#pending.delete(frame.id)
    clearTimeout(pending.timer)
    const result = decodeResult(frame.payload)
    if (result.ok) pending.resolve(result.fields)
    else pending.reject(resultError(result.errno, result.text))
  }

  #fail(reason: BerthError): void {
    if (this.#reason) return
    this.#reason = reason
    clearTimeout(this.#retry)
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer)
      reject(reason)
    }
    this.#pending.clear()
    this.#socket.destroy()
    this.#onClose(reason)
  }
}
