import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { isAnswer, type Query, responseCodeOf, responseCodes } from './message.ts'

export interface ForwarderOptions {
  /** Nameservers, the one to ask first in front; asked anew for each question. */
  readonly upstreams: () => Promise<readonly string[]>
  /** How long a nameserver may be silent before the next one is asked too. */
  readonly patienceMs?: number
  /** How long a question may take altogether. */
  readonly timeoutMs?: number
  /** Port of nameservers. */
  readonly port?: number
}

const answerLimit = 65_535

/** Asks the world what is not ours to answer. */
export class Forwarder {
  readonly #options: Required<ForwarderOptions>

  constructor({ upstreams, patienceMs = 1000, timeoutMs = 8000, port = 53 }: ForwarderOptions) {
    this.#options = { upstreams, patienceMs, timeoutMs, port }
  }

  /**
   * The first answer that is one, as its bytes. A nameserver that fails, or says so, makes the next one asked at once, one that is
   * silent after a moment, while it is still waited for.
   * @returns undefined when none has answered in time, or the last failure that was told
   */
  async ask(query: Query, transport: 'udp' | 'tcp', signal: AbortSignal): Promise<Buffer | undefined> {
    const { upstreams, patienceMs, timeoutMs, port } = this.#options
    const servers = await upstreams()
    const over = new AbortController()
    const limit = AbortSignal.any([signal, over.signal, AbortSignal.timeout(timeoutMs)])
    const exchange = transport === 'udp' ? exchangeUdp : exchangeTcp
    const { promise, resolve } = Promise.withResolvers<Buffer | undefined>()
    let failure: Buffer | undefined
    let open = servers.length
    let next = 0
    const askNext = (): void => {
      const host = servers[next]
      if (host === undefined || limit.aborted) return
      next += 1
      const impatience = setTimeout(askNext, patienceMs)
      exchange(query, { host, port }, limit)
        .catch(() => undefined)
        .then((answer) => {
          clearTimeout(impatience)
          if (answer && !isFailure(answer)) return resolve(answer)
          failure = answer ?? failure
          askNext()
          open -= 1
          if (open === 0) resolve(failure)
        })
    }
    limit.addEventListener('abort', () => resolve(failure), { once: true })
    if (servers.length === 0) return undefined
    askNext()
    try {
      return await promise
    } finally {
      over.abort()
    }
  }
}

interface Server {
  readonly host: string
  readonly port: number
}

/** A socket for each question: its port is as hard to guess as its id. */
function exchangeUdp(query: Query, { host, port }: Server, signal: AbortSignal): Promise<Buffer | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>()
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  const stop = (): void => resolve(undefined)
  signal.addEventListener('abort', stop, { once: true })
  socket.on('error', reject)
  socket.on('message', (message) => {
    if (isAnswer(query, message)) resolve(message)
  })
  // Connected, it hears nobody else. What goes wrong comes as an event: a callback would be called instead of it.
  socket.once('connect', () => {
    if (!signal.aborted) socket.send(query.bytes)
  })
  socket.connect(port, host)
  return promise.finally(() => {
    signal.removeEventListener('abort', stop)
    socket.close()
  })
}

function exchangeTcp(query: Query, { host, port }: Server, signal: AbortSignal): Promise<Buffer | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>()
  const socket = connect({ host, port })
  const chunks: Buffer[] = []
  let size = 0
  const stop = (): void => resolve(undefined)
  signal.addEventListener('abort', stop, { once: true })
  socket.on('error', reject)
  socket.on('close', stop)
  socket.on('connect', () => socket.write(framed(query.bytes)))
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    if (size < 2) return
    const all = Buffer.concat(chunks)
    const length = all.readUInt16BE(0)
    if (all.length >= length + 2) {
      const answer = all.subarray(2, length + 2)
      resolve(isAnswer(query, answer) ? answer : undefined)
    } else if (size > answerLimit + 2) resolve(undefined)
  })
  return promise.finally(() => {
    signal.removeEventListener('abort', stop)
    socket.destroy()
  })
}

/** A message on a stream goes behind its length. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

function isFailure(answer: Buffer): boolean {
  const code = responseCodeOf(answer)
  return code === responseCodes.failed || code === responseCodes.refused
}
