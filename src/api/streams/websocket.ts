import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { messageOf } from '#base/errors.ts'
import type { WebSocketReply } from '../reply.ts'
import { join, type TakenConnection } from './hijack.ts'
import { acceptKey, encodeClose, encodeFrame, FrameDecoder } from './websocket-frames.ts'

/** Accepts the handshake, opens the process's side, and joins both until they are done. */
export async function runWebSocket(
  { socket, early }: TakenConnection,
  { key, text, stdin, open }: WebSocketReply,
): Promise<void> {
  socket.on('error', () => socket.destroy())
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`,
  )
  const client = new WebSocketStream(socket, text ? 'text' : 'binary', Buffer.from(early))
  const process = await open().catch((error: unknown) => void client.end(`${messageOf(error)}\r\n`))
  if (process) join(client, process, { early: new Uint8Array(0), stdin })
}

/** The bytes inside of a client's messages, and messages for it. Ending it tells the client that all is well. */
class WebSocketStream extends Duplex {
  readonly #socket: Socket | Duplex
  readonly #kind: 'text' | 'binary'
  readonly #decoder = new FrameDecoder()

  constructor(socket: Socket | Duplex, kind: 'text' | 'binary', early: Buffer) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    this.#kind = kind
    socket.on('data', (bytes: Buffer) => this.#receive(bytes))
    socket.on('close', () => this.destroy())
    // Without a close in between: the client has gone.
    socket.on('end', () => this.destroy())
    this.once('end', () => this.end())
    if (early.length > 0) this.#receive(early)
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk.length === 0 ? chunk : encodeFrame(this.#kind, chunk), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(encodeClose(1000), () => done())
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }

  #receive(bytes: Buffer): void {
    for (const frame of this.#decoder.push(bytes)) {
      if (frame.kind === 'data' && !this.push(frame.bytes)) this.#socket.pause()
      else if (frame.kind === 'ping') this.#socket.write(encodeFrame('pong', frame.bytes))
      else if (frame.kind === 'close') this.push(null)
      else if (frame.kind === 'broken') this.#socket.end(encodeClose(1002), () => this.destroy())
    }
  }
}
