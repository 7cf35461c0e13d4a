import { connect, type Socket } from 'node:net'
import type { FuzzRequest } from './request.ts'

export interface FuzzAnswer {
  /** undefined: the connection ended, or patience did, without a head. */
  readonly status: number | undefined
  readonly type: string
  /** Its beginning. */
  readonly body: string
  /** The daemon did not read on, and what it had answered may be lost. */
  readonly isBroken: boolean
  /** Patience ended before a head came. */
  readonly isLate: boolean
}

const enough = 256 << 10

/**
 * One request on a connection of its own, which ends when enough of the answer is known.
 * @param fill puts ids where words stand for them
 */
export async function exchange(
  socketPath: string,
  request: FuzzRequest,
  { fill, patienceMs }: { readonly fill: (text: string) => string; readonly patienceMs: number },
): Promise<FuzzAnswer> {
  const socket = connect({ path: socketPath, allowHalfOpen: true })
  const received: Buffer[] = []
  let size = 0
  let isLate = false
  const { promise, resolve } = Promise.withResolvers<void>()
  const late = setTimeout(() => {
    isLate = true
    resolve()
  }, patienceMs)
  socket.on('data', (chunk: Buffer) => {
    received.push(chunk)
    size += chunk.length
    if (size > enough || isComplete(received)) resolve()
  })
  socket.on('end', resolve)
  let isBroken = false
  socket.on('error', () => {
    isBroken = true
    resolve()
  })
  socket.on('close', resolve)
  write(socket, request, fill)
  await promise
  clearTimeout(late)
  socket.destroy()
  const answer = parseAnswer(Buffer.concat(received).toString('latin1'))
  return { ...answer, isBroken, isLate: isLate && answer.status === undefined }
}

function write(socket: Socket, { head, body, framing }: FuzzRequest, fill: (text: string) => string): void {
  const bytes = Buffer.from(fill(body))
  const filled = head.map(fill)
  const told = (length: number) => [...filled, `Content-Length: ${length}`, '', ''].join('\r\n')
  const chunked = [...filled, 'Transfer-Encoding: chunked', '', ''].join('\r\n')
  switch (framing) {
    case 'length':
      socket.write(bytes.length === 0 ? [...filled, '', ''].join('\r\n') : told(bytes.length))
      // Even of nothing, a write to a connection that is answered and closed fails.
      if (bytes.length > 0) socket.write(bytes)
      return
    case 'chunked':
      socket.write(chunked)
      for (let at = 0; at < bytes.length; at += 1000) {
        const part = bytes.subarray(at, at + 1000)
        socket.write(`${part.length.toString(16)}\r\n`)
        socket.write(part)
        socket.write('\r\n')
      }
      socket.write('0\r\n\r\n')
      return
    case 'long':
      socket.write(told(bytes.length + 1000))
      socket.end(bytes)
      return
    case 'short':
      socket.write(told(Math.floor(bytes.length / 2)))
      socket.write(bytes)
      return
    case 'garbage':
      socket.write(chunked)
      socket.write(Buffer.concat([Buffer.from('zz\r\n'), bytes, Buffer.from('\r\n-1\r\n')]))
      return
    case 'none':
      socket.write([...filled, '', ''].join('\r\n'))
      socket.end(bytes)
  }
}

/** With a head that names a length: all of it. Else the head is enough. */
function isComplete(received: readonly Buffer[]): boolean {
  const text = Buffer.concat(received).toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1]
  return length === undefined || text.length >= end + 4 + Number(length)
}

function parseAnswer(text: string): Pick<FuzzAnswer, 'status' | 'type' | 'body'> {
  const end = text.indexOf('\r\n\r\n')
  const head = end < 0 ? '' : text.slice(0, end)
  const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  return {
    status: status === undefined ? undefined : Number(status),
    type: /\r\ncontent-type: ([^\r]*)/i.exec(head)?.[1] ?? '',
    body: Buffer.from(
      text.slice(end + 4, length === undefined ? undefined : end + 4 + Number(length)),
      'latin1',
    ).toString(),
  }
}
