import { connect as connectSocket, type Socket } from 'node:net'
import { forbidden, messageOf, systemCode, unavailable } from '#base/errors.ts'
import type { Address, TcpAddress } from './address.ts'

export interface Connection {
  readonly socket: Socket
  /** Where another program carries the bytes: why it ended, or undefined when it ended well. */
  whyEnded?(): Promise<string | undefined>
}

/** Opens a connection whose two directions end separately.   @throws `unavailable` in Docker's words, `forbidden`; else the system's error */
export async function connect(address: Address, program: string): Promise<Connection> {
  if (address.kind === 'ssh') {
    const { openSsh } = await import('./ssh.ts')
    return openSsh(address.spec)
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  try {
    const socket = await open(address, resolve)
    socket.once('error', reject)
    await promise
    socket.off('error', reject)
    // Who waits for bytes hears of a failure as the end; between two waits nobody listens, and an unheard error would end the process.
    socket.on('error', () => {})
    return { socket }
  } catch (error) {
    throw refusal(error, address, program) ?? error
  }
}

async function open(address: Exclude<Address, { kind: 'ssh' }>, opened: () => void): Promise<Socket> {
  if (address.kind === 'tcp' && address.tls) {
    const { openTls } = await import('./tls.ts')
    return openTls(address, address.tls).once('secureConnect', opened)
  }
  const target = address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
  return connectSocket({ ...target, allowHalfOpen: true, noDelay: true }).once('connect', opened)
}

/** Nobody listens there, or we may not ask: what docker has words of its own for. */
function refusal(error: unknown, address: Address, program: string): Error | undefined {
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
      return undefined
  }
}

/** The failure of one request, as docker tells of it: the request's address, and why. */
export async function connectFailure(
  address: Address,
  { method, target }: { readonly method: string; readonly target: string },
  error: unknown,
): Promise<Error> {
  const secure = address.kind === 'tcp' && address.tls !== undefined
  const reason = secure ? (await import('./tls.ts')).tlsProblem(error) : reasonOf(error, address)
  const verb = method.charAt(0) + method.slice(1).toLowerCase()
  const server =
    address.kind === 'tcp' ? `${secure ? 'https' : 'http'}://${authority(address)}` : 'http://docker.example.com'
  return unavailable(`error during connect: ${verb} "${server}${target}": ${reason}`, {
    cause: error,
    code: 'cannot-connect',
  })
}

function authority({ host, port }: TcpAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function reasonOf(error: unknown, address: Address): string {
  if (address.kind !== 'tcp') return messageOf(error)
  switch (systemCode(error)) {
    case 'ENOTFOUND':
      return `dial tcp: lookup ${address.host}: no such host`
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${address.host}: the name server does not answer`
    case 'ERR_SOCKET_BAD_PORT':
      return `dial tcp: address ${address.port}: invalid port`
    default:
      return messageOf(error)
  }
}
