import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { messageOf } from '#base/errors.ts'
import { type ApiVersion, since } from '#contract/versions.ts'
import type { Hijack } from '../reply.ts'
import { frame } from './multiplex.ts'

export const rawStreamType = 'application/vnd.docker.raw-stream'
export const multiplexedStreamType = 'application/vnd.docker.multiplexed-stream'

/** How often a client that has closed its write side is asked whether it still reads. */
const probeMs = 2000
/** How long a client that has been told of the end may go on sending. */
const lingerMs = 2000

/** A connection that node:http no longer touches. */
export interface TakenConnection {
  readonly socket: Duplex
  /** The client asked with `Upgrade`. */
  readonly upgraded: boolean
  /** What the client sent behind its request. */
  readonly early: Uint8Array
}

interface HeadFacts {
  readonly version: ApiVersion
  /** What every answer of this engine says of itself. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Takes the socket of a plain request away from node:http, whose parser would read what follows as the next request.
 * Call it when the body has been read and before anything was answered.
 */
export function takeSocket(request: IncomingMessage, response: ServerResponse): Socket {
  const { socket } = request
  response.detachSocket(socket)
  // The listeners for `close` stay: they free the parser and the server's own record of the connection.
  for (const event of ['data', 'end', 'drain', 'error', 'timeout']) socket.removeAllListeners(event)
  return socket
}

/**
 * Writes Docker's answer line and headers, opens the process's side, and joins both until they are done. The head goes out
 * first: docker-py loses what arrives together with it.
 */
export async function runHijack(
  { socket, upgraded, early }: TakenConnection,
  reply: Hijack,
  { version, headers }: HeadFacts,
): Promise<void> {
  socket.on('error', () => socket.destroy())
  socket.write(answerHead({ upgraded, framed: reply.framed }, { version, headers: reply.named ? headers : {} }))
  const process = await reply.open().catch((error: unknown) => {
    const text = Buffer.from(`${messageOf(error)}\r\n`)
    socket.write(reply.framed ? frame('stdout', text) : text)
  })
  if (process) {
    join(socket, process, { early, stdin: reply.stdin })
  } else {
    socket.resume()
    closeSoon(socket)
  }
}

function answerHead(
  { upgraded, framed }: { upgraded: boolean; framed: boolean },
  { version, headers }: HeadFacts,
): string {
  const own = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  if (!upgraded) return `HTTP/1.1 200 OK\r\nContent-Type: ${rawStreamType}\r\n${own.join('')}\r\n`
  const type = framed && version >= since.multiplexedType ? multiplexedStreamType : rawStreamType
  const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\n'
  return `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${type}\r\n${upgrade}${own.join('')}\r\n`
}

/** Tells a client whose connection is taken over already why there is no stream, as Docker does: in plain text. */
export function refuseHijack({ socket }: TakenConnection, { status, text }: { status: number; text: string }): void {
  socket.on('error', () => socket.destroy())
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`
  socket.write(`${line}\r\nContent-Type: ${rawStreamType}\r\n\r\n${text}\r\n`)
  socket.resume()
  closeSoon(socket)
}

/**
 * Client FIN ends only the process's stdin; the end of its output closes the connection; a client that is wholly gone
 * releases the process's side.
 */
export function join(client: Duplex, process: Duplex, { early, stdin }: { early: Uint8Array; stdin: boolean }): void {
  if (client.destroyed) {
    process.destroy()
    return
  }
  let probe: NodeJS.Timeout | undefined
  client.on('close', () => {
    clearInterval(probe)
    process.destroy()
  })
  process.on('error', () => client.destroy())
  process.on('close', () => closeSoon(client))
  process.on('end', () => closeSoon(client))

  if (stdin && early.length > 0) process.write(early)
  if (stdin) client.pipe(process)
  else client.resume()
  process.pipe(client, { end: false })

  // A socket that is half closed and one that is wholly closed both read as ended. Only a write tells them apart:
  // of no bytes, it fails with EPIPE when the peer has gone, and does nothing otherwise.
  const probeFromNow = (): void => {
    probe = setInterval(() => {
      if (client.writableLength === 0) client.write(new Uint8Array(0))
    }, probeMs)
    probe.unref()
  }
  // It may have ended while the process was being opened, and will not say so again.
  if (client.readableEnded) probeFromNow()
  else client.on('end', probeFromNow)
}

/**
 * Sends what is left and closes, as Docker does when a process has ended. What the client is still sending is read to its end:
 * unread bytes would turn the close into a reset, which the client takes for a failure.
 */
function closeSoon(socket: Duplex): void {
  if (socket.destroyed || socket.writableEnded) return
  const close = () => void socket.destroy()
  socket.unpipe()
  socket.resume()
  socket.end(() => {
    if (socket.readableEnded) return close()
    socket.once('end', close)
    setTimeout(close, lingerMs).unref()
  })
}
