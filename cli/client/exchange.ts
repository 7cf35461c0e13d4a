import type { Socket } from 'node:net'
import { internal, messageOf, unavailable } from '#base/errors.ts'
import { type BodyDecoder, decoderOf, parseHead, type ResponseHead } from './http-parse.ts'
import { sendChunked } from './upload.ts'

export interface Request {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  readonly target: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Instead of `body`: sent while the answer may already come. */
  readonly upload?: AsyncIterable<Uint8Array>
  /** Asks for the connection itself: after 101 (or 200) both directions are raw. */
  readonly upgrade?: boolean
}

const maxHead = 64 * 1024

/** Writes one request and reads the head of its answer; bytes behind the head stay in the socket.   @throws `unavailable` */
export async function exchange(socket: Socket, request: Request): Promise<ResponseHead> {
  const head = Buffer.from(formatHead(request))
  socket.write(request.body ? Buffer.concat([head, request.body]) : head)
  if (request.upload) {
    sendChunked(socket, request.upload).catch((error: unknown) => socket.destroy(toError(error)))
  }
  for (;;) {
    const head = await readHead(socket)
    if (head.status >= 200 || head.status === 101) return head
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

function formatHead({ method, target, headers = {}, body, upload, upgrade }: Request): string {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: engine', 'User-Agent: Berth-Client']
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value.replace(/[\r\n]/g, ' ')}`)
  if (body) lines.push('Content-Type: application/json')
  if (upload) lines.push('Transfer-Encoding: chunked')
  else if (body || method === 'POST' || method === 'PUT') lines.push(`Content-Length: ${body?.length ?? 0}`)
  lines.push(...(upgrade ? ['Connection: Upgrade', 'Upgrade: tcp'] : ['Connection: close']), '', '')
  return lines.join('\r\n')
}

async function readHead(socket: Socket): Promise<ResponseHead> {
  let seen: Buffer = Buffer.alloc(0)
  for (;;) {
    const chunk = await readChunk(socket)
    if (!chunk) throw noAnswer(seen)
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
    const parsed = parseHead(seen)
    if (parsed) {
      if (parsed.length < seen.length) socket.unshift(seen.subarray(parsed.length))
      return parsed.head
    }
    if (seen.length > maxHead) throw internal('malformed HTTP response: the head is too long')
  }
}

function noAnswer(seen: Buffer): Error {
  if (seen.length === 0) return unavailable('the engine closed the connection without an answer')
  return internal(`malformed HTTP response ${JSON.stringify(seen.toString('latin1', 0, 80))}`)
}

/** The next bytes, or undefined at the end of the stream. */
function readChunk(socket: Socket): Promise<Buffer | undefined> {
  const ready = socket.read() as Buffer | null
  if (ready) return Promise.resolve(ready)
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>()
  const settle = (): void => {
    const chunk = socket.read() as Buffer | null
    if (chunk === null && !socket.readableEnded && !socket.destroyed) return
    stop()
    resolve(chunk ?? undefined)
  }
  const fail = (error: Error): void => {
    stop()
    reject(unavailable(`lost the connection to the engine: ${messageOf(error)}`, { cause: error }))
  }
  const stop = (): void => {
    socket.off('readable', settle).off('end', settle).off('close', settle).off('error', fail)
  }
  socket.on('readable', settle).on('end', settle).on('close', settle).on('error', fail)
  if (socket.readableEnded || socket.destroyed) settle()
  return promise
}

/** The body, decoded. The socket is closed when it ends or when the reader stops early. */
export async function* readBody(
  socket: Socket,
  head: ResponseHead,
  method: string,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    const decoder: BodyDecoder = decoderOf(head, method)
    while (!decoder.done) {
      const chunk = await readChunk(socket)
      if (!chunk) {
        decoder.end()
        return
      }
      yield* decoder.push(chunk)
    }
  } finally {
    socket.destroy()
  }
}
