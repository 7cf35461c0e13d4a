import { readFileSync } from 'node:fs'
import { connect, isIP, type Socket } from 'node:net'
import { onAbort } from '#base/abort.ts'
import { messageOf, unavailable } from '#base/errors.ts'

export interface TlsFiles {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly skipVerify: boolean
}

export type StreamAddress = (
  | { readonly path: string }
  | { readonly host: string; readonly port: number; readonly tls?: TlsFiles }
) & { readonly connectMs?: number; readonly writeMs?: number }

const connectMs = 10_000

/** A stream to a collector, made by the first write. */
export class Connection {
  readonly #address: StreamAddress
  #socket: Promise<Socket> | undefined
  #failure: Error | undefined

  constructor(address: StreamAddress) {
    this.#address = address
  }

  /** Resolves when the kernel has all of it.   @throws `unavailable` */
  async write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const socket = await this.socket(signal)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    socket.write(bytes, (error) => (error ? reject(error) : resolve()))
    try {
      await ended(promise, socket, signal, this.#address.writeMs)
    } catch (error) {
      throw unavailable(`sending to ${formatAddress(this.#address)} failed: ${messageOf(error)}`)
    }
  }

  async socket(signal: AbortSignal): Promise<Socket> {
    this.#socket ??= this.#open(signal)
    const socket = await this.#socket
    if (this.#failure) throw unavailable(`${formatAddress(this.#address)}: ${this.#failure.message}`)
    return socket
  }

  close(): void {
    void this.#socket?.then(
      (socket) => socket.end().destroySoon(),
      () => undefined,
    )
  }

  async #open(signal: AbortSignal): Promise<Socket> {
    const socket = await openSocket(this.#address)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    socket.once('tls' in this.#address && this.#address.tls ? 'secureConnect' : 'connect', resolve)
    socket.on('error', (error) => {
      this.#failure = error
      reject(error)
    })
    // Collectors say nothing, or what their sender asks for; one that hangs up is noticed with the next write.
    socket.once('close', () => {
      this.#failure ??= new Error('the collector closed the connection')
      reject(this.#failure)
    })
    try {
      await ended(promise, socket, signal, connectMs)
      return socket
    } catch (error) {
      socket.destroy()
      throw unavailable(`connecting to ${formatAddress(this.#address)} failed: ${messageOf(error)}`)
    }
  }
}

async function openSocket(address: StreamAddress): Promise<Socket> {
  if ('path' in address) return connect({ path: address.path })
  const { host, port, tls } = address
  if (!tls) return connect({ host, port })
  // Megabytes that a daemon without such a collector does not pay for.
  const { connect: connectTls } = await import('node:tls')
  const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path))
  const [ca, cert, key] = [read(tls.ca), read(tls.cert), read(tls.key)]
  return connectTls({
    ...{ host, port, rejectUnauthorized: !tls.skipVerify },
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
  })
}

/** Waits no longer than asked for, and not for a socket that is given up. */
async function ended(work: Promise<void>, socket: Socket, signal: AbortSignal, ms = 0): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const give = (reason: string) => {
    reject(new Error(reason))
    socket.destroy()
  }
  using _given = onAbort(signal, () => give('given up'))
  const timer = ms > 0 ? setTimeout(() => give(`no answer within ${ms} ms`), ms) : undefined
  try {
    await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

function formatAddress(address: StreamAddress): string {
  return 'path' in address ? address.path : `${address.host}:${address.port}`
}
