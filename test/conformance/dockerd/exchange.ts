import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** What one request was answered, read to its end. */
export interface Exchange {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly bytes: Buffer
}

export interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer | undefined
  /** Takes the connection over and is written to it. */
  readonly input: string | undefined
}

const answersWithinMs = 60_000

/** One request on a connection of its own.   @throws when the answer has not ended after a minute */
export async function exchange(socketPath: string, { method, path, headers, body, input }: Sent): Promise<Exchange> {
  const signal = AbortSignal.timeout(answersWithinMs)
  const { promise, resolve, reject } = Promise.withResolvers<Exchange>()
  const upgrade = input === undefined ? {} : { Connection: 'Upgrade', Upgrade: 'tcp' }
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
  const sent = request({
    ...{ socketPath, method, path, agent: false, signal },
    headers: { ...upgrade, ...length, ...headers },
  })
  const finish = (
    { statusCode, headers: answered }: IncomingMessage,
    stream: AsyncIterable<Buffer>,
    first?: Buffer,
  ) => {
    readAll(stream, first).then(
      (bytes) => resolve({ status: statusCode ?? 0, headers: answered, bytes }),
      (cause: unknown) => reject(new Error(`${method} ${path}: the answer broke off`, { cause })),
    )
  }
  sent.on('response', (response) => finish(response, response))
  sent.on('upgrade', (response, socket: Socket, first) => {
    finish(response, socket, first)
    socket.end(input ?? '')
  })
  sent.on('error', (cause) => reject(new Error(`${method} ${path} was not answered`, { cause })))
  sent.end(body)
  return promise
}

async function readAll(stream: AsyncIterable<Buffer>, first: Buffer = Buffer.alloc(0)): Promise<Buffer> {
  const chunks = [first]
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Bytes as something to compare: JSON, lines of JSON, the streams of a container, names of an archive, else text. */
export function readBody({ headers, bytes }: Exchange, frames: boolean): Json {
  if (frames) return readFrames(bytes)
  const type = String(headers['content-type'] ?? '')
  if (bytes.subarray(257, 262).toString() === 'ustar') return { archive: namesOf(bytes) }
  const text = bytes.toString()
  if (!type.startsWith('application/json') && !type.startsWith('application/x-ndjson')) return text
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const [only] = lines
  if (only === undefined) return text
  return lines.length === 1 ? (JSON.parse(only) as Json) : lines.map((line) => JSON.parse(line) as Json)
}

function readFrames(bytes: Buffer): Json {
  const streams = { stdin: '', stdout: '', stderr: '' }
  const names = ['stdin', 'stdout', 'stderr'] as const
  for (let at = 0; at < bytes.length; ) {
    const name = names[bytes[at] ?? 3]
    if (name === undefined || at + 8 > bytes.length) return { ...streams, unframed: bytes.subarray(at).toString() }
    const end = at + 8 + bytes.readUInt32BE(at + 4)
    streams[name] += bytes.subarray(at + 8, end).toString()
    at = end
  }
  return streams
}

function namesOf(archive: Buffer): string[] {
  const names: string[] = []
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const header = archive.subarray(at, at + 512)
    const field = (from: number, to: number) => (header.subarray(from, to).toString().split('\0')[0] ?? '').trim()
    names.push(field(0, 100))
    at += 512 + Math.ceil(Number.parseInt(field(124, 136), 8) / 512) * 512
  }
  return names.toSorted()
}
