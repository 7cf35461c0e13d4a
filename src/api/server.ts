import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { ListenOptions, Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import type { Logger } from '#base/log.ts'
import type { Engine } from '#engine/engine.ts'
import { answerRequest, type Surroundings } from './answer.ts'
import { plainConnection, upgradedConnection } from './connection.ts'
import { engineHeaders } from './headers.ts'
import { Router } from './router.ts'
import { allRoutes } from './routes/all.ts'
import { EarlyInput, mayHijack, mayUpgrade } from './streams/early-input.ts'

/** Filters come in the query; Docker takes a mebibyte, no real client needs a quarter of that. */
const maxHeaderSize = 256 << 10
/** Whoever has not shown a certificate by then holds no connection. */
const handshakeTimeoutMs = 10_000

export interface ApiServerOptions {
  readonly logger: Logger
}

/** The Engine API on any number of listeners. Disposing closes them and every connection. */
export interface ApiServer extends AsyncDisposable {
  /** Fulfilled when connections are accepted.   @param target a path, host and port, or an inherited descriptor   @param tls undefined: none */
  listen(target: ListenOptions | { readonly fd: number }, tls?: TlsOptions): Promise<Server>
}

export function createApiServer(engine: Engine, { logger }: ApiServerOptions): ApiServer {
  const around: Surroundings = {
    engine,
    logger,
    router: new Router(allRoutes),
    headers: engineHeaders(engine.system.version().version),
  }
  const servers = new Set<Server>()
  const sockets = new Set<Socket>()

  return {
    async listen(target, tls) {
      const server = openServer(around, tls)
      server.on('connection', (socket: Socket) => {
        sockets.add(socket)
        socket.on('close', () => sockets.delete(socket))
      })
      await listening(server, target)
      servers.add(server)
      return server
    },

    async [Symbol.asyncDispose]() {
      const closed = [...servers].map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
      for (const socket of sockets) socket.destroy()
      await Promise.all(closed)
      servers.clear()
    },
  }
}

function openServer(around: Surroundings, tls: TlsOptions | undefined): Server {
  const early = new EarlyInput()
  const options = {
    maxHeaderSize,
    // Waits, logs and events last as long as they last; idle connections of clients' pools too.
    requestTimeout: 0,
    headersTimeout: 0,
    keepAliveTimeout: 0,
    shouldUpgradeCallback: ({ method, url }: IncomingMessage) => mayUpgrade(method, url),
  }
  // The end of a client's input must not end what it is sent.
  const server = tls
    ? createTlsServer({ ...options, ...tls, handshakeTimeout: handshakeTimeoutMs, allowHalfOpen: true })
    : createServer(options)
  server.on('tlsClientError', (error: Error, socket: Socket) => {
    around.logger.debug({ error: error.message, client: socket.remoteAddress }, 'a client without valid TLS is refused')
    socket.destroy()
  })

  server.on('request', (request, response) => {
    if (mayHijack(request.method, request.url)) early.expect(request.socket)
    void answerRequest(around, request, plainConnection(request, response, early))
  })

  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Uint8Array) => {
    void answerRequest(around, request, upgradedConnection(request, socket, head))
  })

  server.on('clientError', (error: Error & { rawPacket?: Uint8Array; bytesParsed?: number }, socket: Socket) => {
    if (error.rawPacket && early.offer(socket, error.rawPacket.subarray(error.bytesParsed ?? 0))) return
    if (!socket.writable) socket.destroy()
    else
      socket.end(
        'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request',
      )
  })
  return server
}

function listening(server: Server, target: ListenOptions | { readonly fd: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(target, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
