import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { DetachScanner } from './detach-keys.ts'

export interface AttachStreamOptions {
  /** Watches the input for the detach keys. */
  readonly scanner?: DetachScanner | undefined
  /** Called once when the client left, by the keys or by closing. */
  readonly onDetach?: (() => void) | undefined
  /** The end of the output is told only after this. */
  readonly endsAfter?: Promise<void>
}

type Done = (error?: Error | null) => void

/**
 * A client's end of a task's stdio that may exist before the task does: input waits until `connect`. Reading ends with the task;
 * ending the writing side is end-of-file for the process, nothing more.
 */
export class AttachStream extends Duplex {
  readonly #scanner: DetachScanner | undefined
  readonly #onDetach: (() => void) | undefined
  readonly #endsAfter: Promise<void>
  #socket: Socket | undefined
  #waiting: { data: Buffer; done: Done } | undefined
  #ended = false
  #over = false

  constructor({ scanner, onDetach, endsAfter = Promise.resolve() }: AttachStreamOptions = {}) {
    super({ allowHalfOpen: true })
    this.#scanner = scanner
    this.#onDetach = onDetach
    this.#endsAfter = endsAfter
  }

  /** From here on bytes flow. The stream owns the socket. */
  connect(socket: Socket): void {
    if (this.destroyed || this.#over) {
      socket.destroy()
      return
    }
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause()
    })
    socket.on('end', () => {
      // All is read; the shim waits for our side to close.
      socket.destroy()
      void this.#endsAfter.then(() => this.finish())
    })
    // A shim that died ends the task's output; the exit record tells why.
    socket.on('error', () => void this.#endsAfter.then(() => this.finish()))
    socket.on('close', () => void this.#endsAfter.then(() => this.finish()))
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) this.#forward(waiting.data, waiting.done)
    if (this.#ended) socket.end()
  }

  /** Output of before the connection. */
  replay(chunk: Buffer): void {
    this.push(chunk)
  }

  /** No more output will come. */
  finish(): void {
    if (this.#over) return
    this.#over = true
    this.push(null)
    this.#release()
  }

  override _read(): void {
    this.#socket?.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    const { forward, detached } = this.#scanner?.push(chunk) ?? { forward: chunk, detached: false }
    if (!detached) {
      this.#forward(forward, done)
      return
    }
    this.#forward(forward, () => undefined)
    this.#onDetach?.()
    this.finish()
    this.#socket?.destroy()
    done()
  }

  override _final(done: Done): void {
    this.#ended = true
    this.#socket?.end()
    done()
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#over = true
    this.#release()
    this.#socket?.destroy()
    done(error)
  }

  /** Input for a process that is gone is dropped, as a closed pipe drops it. */
  #forward(data: Buffer, done: Done): void {
    if (this.#over || this.#socket?.writable === false) done()
    else if (!this.#socket) this.#waiting = { data, done }
    else if (data.length === 0 || this.#socket.write(data)) done()
    else this.#awaitDrain(this.#socket, done)
  }

  #awaitDrain(socket: Socket, done: Done): void {
    const proceed = () => {
      socket.off('drain', proceed)
      socket.off('close', proceed)
      done()
    }
    socket.once('drain', proceed)
    socket.once('close', proceed)
  }

  #release(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.done()
  }
}
