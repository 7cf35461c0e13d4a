import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { EarlyInput } from './streams/early-input.ts'
import { takeSocket } from './streams/hijack.ts'

/** The way back to the client of one request: an HTTP answer, or the connection itself. */
export interface Connection {
  /** The client asked with `Upgrade` to take the connection over. */
  readonly upgraded: boolean
  /** Aborted when the client has gone before the answer was complete. */
  readonly gone: AbortSignal
  /** For an answer in HTTP. */
  respond(): ServerResponse
  /** The socket itself, and what the client sent behind its request. Not after `respond`. */
  take(): { readonly socket: Socket; readonly early: Uint8Array }
}

export function plainConnection(request: IncomingMessage, response: ServerResponse, early: EarlyInput): Connection {
  const gone = new AbortController()
  response.on('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  return {
    upgraded: false,
    gone: gone.signal,
    respond: () => response,
    take: () => ({ socket: takeSocket(request, response), early: early.take(request.socket) }),
  }
}

/**
 * A connection of an `upgrade` event. node:http lets go of the socket only when the request's body is complete, which may
 * be later than the event; so a response is bound to the socket only when there is something to write.
 */
export function upgradedConnection(request: IncomingMessage, socket: Socket, head: Uint8Array): Connection {
  const gone = new AbortController()
  let taken = false
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    if (!taken) gone.abort()
  })
  return {
    upgraded: true,
    gone: gone.signal,
    respond: () => {
      taken = true
      const response = new ServerResponse(request)
      response.shouldKeepAlive = false
      response.assignSocket(socket)
      response.on('finish', () => socket.end(() => socket.destroy()))
      return response
    },
    take: () => {
      taken = true
      return { socket, early: head }
    },
  }
}
