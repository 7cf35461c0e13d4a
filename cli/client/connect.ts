import { connect as connectSocket, type Socket } from 'node:net'
import { forbidden, messageOf, systemCode, unavailable } from '#base/errors.ts'
import type { Address } from './address.ts'

/** Opens a connection whose two directions end separately.   @throws `unavailable` in Docker's words, `forbidden` */
export async function connect(address: Address, program: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const target = address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
  const socket = connectSocket({ ...target, allowHalfOpen: true, noDelay: true })
  socket.once('connect', () => resolve(socket))
  socket.once('error', reject)
  try {
    await promise
    socket.off('error', reject)
    // Who waits for bytes hears of a failure as the end; between two waits nobody listens, and an unheard error would end the process.
    socket.on('error', () => {})
    return socket
  } catch (error) {
    throw explain(error, address, program)
  }
}

function explain(error: unknown, address: Address, program: string): Error {
  const engine = program === 'docker' ? 'Docker' : 'Berth'
  const detail = { cause: error, code: 'cannot-connect' }
  switch (systemCode(error)) {
    case 'EACCES':
    case 'EPERM':
      return forbidden(
        `permission denied while trying to connect to the ${engine} daemon socket at ${address.text}: ${messageOf(error)}`,
        detail,
      )
    case 'ENOENT':
    case 'ECONNREFUSED':
    case 'ENOTSOCK':
      return unavailable(
        `Cannot connect to the ${engine} daemon at ${address.text}. Is the ${engine.toLowerCase()} daemon running?`,
        detail,
      )
    default:
      return unavailable(`error during connect to ${address.text}: ${messageOf(error)}`, detail)
  }
}
