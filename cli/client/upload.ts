import type { Socket } from 'node:net'

/** Writes a body in HTTP's chunked form, at the pace of the engine. Ends quietly when the connection has ended: an engine that has
 *  answered reads no further.   @throws the source's error */
export async function sendChunked(socket: Socket, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) {
    if (chunk.length === 0) continue
    if (socket.destroyed) return
    socket.write(`${chunk.length.toString(16)}\r\n`)
    socket.write(chunk)
    if (!socket.write('\r\n')) await drained(socket)
  }
  if (!socket.destroyed) socket.write('0\r\n\r\n')
}

async function drained(socket: Socket): Promise<void> {
  if (socket.destroyed) return
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.once('drain', resolve).once('close', resolve)
  await promise
  socket.off('drain', resolve).off('close', resolve)
}
