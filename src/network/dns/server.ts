import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { closeSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { Forwarder } from './forwarder.ts'
import { framed } from './forwarder.ts'
import { answerTo, parseQuery, type Query, truncated } from './message.ts'
import type { Zone } from './zone.ts'

export interface DnsServerOptions {
  /** Descriptors of sockets in the sandbox; the server's from now on. */
  readonly udp: number
  readonly tcp: number
  readonly zone: Zone
  readonly forwarder: Forwarder
  readonly report: (error: unknown) => void
}

/** Of one container at a time: a program that asks without end fills its own queue alone. */
const concurrentLimit = 128
const connectionLimit = 32
const idleMs = 10_000

/** Answers the questions of one container, on sockets that its shim has made in its sandbox and keeps. */
export class DnsServer implements AsyncDisposable {
  readonly #options: DnsServerOptions
  readonly #end = new AbortController()
  readonly #udp: DatagramSocket
  readonly #tcp: Server
  readonly #connections = new Set<Socket>()
  #pending = 0

  constructor(options: DnsServerOptions) {
    this.#options = options
    this.#udp = createSocket('udp4')
    this.#udp.on('error', options.report)
    this.#udp.on('message', (bytes, peer) => {
      void this.#answer(bytes, 'udp').then((answer) => {
        // A resolver that has gone is no concern of ours.
        if (answer && !this.#end.signal.aborted) this.#udp.send(answer, peer.port, peer.address, () => undefined)
      })
    })
    this.#tcp = createServer((socket) => this.#serve(socket))
    this.#tcp.maxConnections = connectionLimit
    this.#tcp.on('error', options.report)
    this.#udp.bind({ fd: options.udp })
    this.#tcp.listen({ fd: options.tcp })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#end.signal.aborted) return
    this.#end.abort()
    for (const socket of this.#connections) socket.destroy()
    const closed = [
      new Promise<void>((resolve) => this.#udp.close(resolve)),
      new Promise<void>((resolve) => this.#tcp.close(() => resolve())),
    ]
    await Promise.all(closed)
  }

  /** @returns undefined where there is nobody to answer */
  async #answer(bytes: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const query = parseQuery(bytes)
    if (!query) return undefined
    if (this.#pending >= concurrentLimit) return answerTo(query, 'refused', [])
    this.#pending += 1
    try {
      const limit = transport === 'udp' ? query.udpBytes : undefined
      return this.#known(query, limit) ?? (await this.#forward(query, transport))
    } catch (error) {
      this.#options.report(error)
      return answerTo(query, 'failed', [])
    } finally {
      this.#pending -= 1
    }
  }

  #known(query: Query, limit: number | undefined): Buffer | undefined {
    const { zone } = this.#options
    if (query.type === 'PTR') {
      const name = zone.nameOf(query.name)
      return name === undefined ? undefined : answerTo(query, 'success', [{ type: 'PTR', data: name }], limit)
    }
    const addresses = zone.addresses(query.name)
    if (!addresses) return undefined
    // A name that is ours is never asked outside, whatever of it was asked: of other types there is nothing.
    const records = query.type === 'A' ? shuffled(addresses).map((data) => ({ type: 'A' as const, data })) : []
    return answerTo(query, 'success', records, limit)
  }

  async #forward(query: Query, transport: 'udp' | 'tcp'): Promise<Buffer> {
    const { zone, forwarder } = this.#options
    if (!zone.reachesOut) return answerTo(query, 'failed', [])
    const answer = await forwarder.ask(query, transport, this.#end.signal)
    if (!answer) return answerTo(query, 'failed', [])
    return transport === 'udp' && answer.length > query.udpBytes ? truncated(query, answer) : answer
  }

  #serve(socket: Socket): void {
    let pending: Buffer = Buffer.alloc(0)
    this.#connections.add(socket)
    socket.on('close', () => this.#connections.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.setTimeout(idleMs, () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
      while (pending.length >= 2 && pending.length >= pending.readUInt16BE(0) + 2) {
        const end = pending.readUInt16BE(0) + 2
        const message = pending.subarray(2, end)
        pending = pending.subarray(end)
        void this.#answer(message, 'tcp').then((answer) => {
          if (answer && !socket.destroyed) socket.write(framed(answer))
          else socket.destroy()
        })
      }
    })
  }
}

/** Descriptors that no server took. */
export function closeDescriptors({ udp, tcp }: { readonly udp: number; readonly tcp: number }): void {
  closeSync(udp)
  closeSync(tcp)
}

/** Of several addresses none is preferred. */
function shuffled(addresses: readonly string[]): string[] {
  const list = [...addresses]
  for (let at = list.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1))
    const [a, b] = [list[at], list[other]]
    if (a !== undefined && b !== undefined) [list[at], list[other]] = [b, a]
  }
  return list
}
