import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { Client } from '#cli/client/client.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { addressOf } from './memory-cli.ts'

export interface RecordedServer extends AsyncDisposable {
  readonly client: Client
  /** Heads of requests, first lines only, in the order in which they came. */
  readonly requests: string[]
}

/** A real server on a Unix socket that gives every connection to `serve`, with the bytes of the request. */
export async function serveRecorded(serve: (socket: Socket, request: string) => void): Promise<RecordedServer> {
  await using undo = new AsyncDisposableStack()
  const directory = undo.use(await tempDirectory())
  const path = join(directory.path, 'engine.sock')
  const requests: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', (bytes) => {
      const request = String(bytes)
      requests.push(request.split('\r\n', 1)[0] ?? '')
      serve(socket, request)
    })
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(path, resolve)
  await promise
  undo.defer(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((done) => server.close(done))
  })
  const client = undo.use(
    new Client({
      address: addressOf(`unix://${path}`),
      program: 'berth',
    }),
  )
  const resources = undo.move()
  return { client, requests, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
