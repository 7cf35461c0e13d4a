import type { Socket } from 'node:net'
import { BerthError, type Kind, messageOf } from '#base/errors.ts'
import type { Address } from './address.ts'
import { type Connection, connect, connectFailure } from './connect.ts'
import { exchange, type Request, readBody } from './exchange.ts'
import type { ResponseHead } from './http-parse.ts'

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

export interface Call {
  readonly query?: Query
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly head: ResponseHead
  /** Reading to the end, or stopping early, closes the connection. */
  readonly body: AsyncGenerator<Buffer, void, undefined>
}

export interface ClientOptions {
  readonly address: Address
  readonly program: string
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** Fixed by DOCKER_API_VERSION; without it the newest we know, lowered when the engine says that it is too new. */
  readonly apiVersion?: string | undefined
}

/** The newest version of the Engine API whose shapes this client knows. */
export const newestApiVersion = '1.51'

const maxErrorBody = 1024 * 1024

/** Speaks the Engine API over plain sockets: one connection a request, because on a Unix socket a new one is nearly free. */
export class Client implements Disposable {
  readonly address: Address
  readonly #program: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #pinned: boolean
  #version: string
  readonly #open = new Set<Socket>()

  constructor({ address, program, headers = {}, apiVersion }: ClientOptions) {
    this.address = address
    this.#program = program
    this.#headers = headers
    this.#pinned = apiVersion !== undefined
    this.#version = apiVersion ?? newestApiVersion
  }

  get apiVersion(): string {
    return this.#version
  }

  /** The answer's JSON.   @throws BerthError of the kind of the status, in the engine's words */
  async json<T>(method: Request['method'], path: string, call: Call = {}): Promise<T> {
    const bytes = await collect(await this.stream(method, path, call))
    return JSON.parse(bytes.toString()) as T
  }

  /** For answers without a body worth reading; "not modified" is success. */
  async send(method: Request['method'], path: string, call: Call = {}): Promise<void> {
    await collect(await this.stream(method, path, call))
  }

  async stream(method: Request['method'], path: string, call: Call = {}): Promise<Answer> {
    const { socket, head } = await this.#call(method, path, call, false)
    return { head, body: readBody(socket, head, method) }
  }

  /** A POST or PUT whose body is sent as it comes. The version is settled beforehand: the body could not be sent twice. */
  async upload(
    path: string,
    body: AsyncIterable<Uint8Array>,
    { method = 'POST', ...call }: Omit<Call, 'body'> & { readonly method?: 'POST' | 'PUT' } = {},
  ): Promise<Answer> {
    await this.send('GET', '/_ping')
    const target = this.#target(path, call)
    const headers = { ...this.#headers, ...call.headers }
    const { socket, head } = await this.#once({ method, target, headers, upload: body })
    return { head, body: readBody(socket, head, method) }
  }

  /** The connection itself, raw in both directions, each of which ends on its own. Whoever asks destroys it. */
  async hijack(path: string, call: Call = {}): Promise<{ readonly socket: Socket; readonly head: ResponseHead }> {
    return await this.#call('POST', path, call, true)
  }

  /** Drops whatever is still open. */
  [Symbol.dispose](): void {
    for (const socket of this.#open) socket.destroy()
  }

  async #call(
    method: Request['method'],
    path: string,
    call: Call,
    upgrade: boolean,
  ): Promise<{ socket: Socket; head: ResponseHead }> {
    const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body))
    const request = { method, headers: { ...this.#headers, ...call.headers }, ...(body && { body }), upgrade }
    try {
      return await this.#once({ ...request, target: this.#target(path, call) })
    } catch (error) {
      if (!this.#renegotiate(error)) throw error
      return await this.#once({ ...request, target: this.#target(path, call) })
    }
  }

  #target(path: string, { query }: Call): string {
    const prefix = this.address.kind === 'tcp' ? this.address.prefix : ''
    return `${prefix}/v${this.#version}${path}${formatQuery(query)}`
  }

  async #once(request: Request): Promise<{ socket: Socket; head: ResponseHead }> {
    const { socket, whyEnded } = await this.#connect(request)
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    let head: ResponseHead
    try {
      head = await exchange(socket, request)
    } catch (error) {
      const reason = socket.readableEnded || socket.destroyed ? await whyEnded?.() : undefined
      socket.destroy()
      if (reason !== undefined) throw await connectFailure(this.address, request, new Error(reason, { cause: error }))
      throw await this.#explain(request, error)
    }
    if (head.status < 400) return { socket, head }
    try {
      throw await toError(head, readBody(socket, head, request.method))
    } finally {
      socket.destroy()
    }
  }

  async #connect(request: Request): Promise<Connection> {
    try {
      return await connect(this.address, this.#program)
    } catch (error) {
      if (error instanceof BerthError) throw error
      throw await connectFailure(this.address, request, error)
    }
  }

  /** TLS fails as late as with the first answer; an answer that is no HTTP may be TLS that nobody asked for. */
  async #explain(request: Request, error: unknown): Promise<unknown> {
    if (this.address.kind !== 'tcp' || !(error instanceof BerthError)) return error
    if (this.address.tls) {
      return error.cause === undefined ? error : await connectFailure(this.address, request, error.cause)
    }
    if (!error.message.startsWith('malformed HTTP response')) return error
    const hint = '* Are you trying to connect to a TLS-enabled daemon without TLS?'
    return new BerthError(error.kind, `${error.message}.\n${hint}`, { cause: error })
  }

  /** An engine that is older or newer than we are names the version to use, which saves asking every time. */
  #renegotiate(error: unknown): boolean {
    if (this.#pinned || !(error instanceof BerthError) || error.kind !== 'invalid') return false
    const match = /(?:Maximum|[Mm]inimum) supported API version is (\d+\.\d+)/.exec(error.message)
    if (!match?.[1] || match[1] === this.#version) return false
    this.#version = match[1]
    return true
  }
}

function formatQuery(query: Query = {}): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (value === undefined || value === false) continue
    for (const one of Array.isArray(value) ? value : [value === true ? '1' : String(value)])
      parameters.append(name, one)
  }
  return parameters.size === 0 ? '' : `?${parameters}`
}

async function collect({ body }: Pick<Answer, 'body'>, limit = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    parts.push(part)
    size += part.length
    if (size > limit) break
  }
  return Buffer.concat(parts)
}

const kindOf: Readonly<Record<number, Kind>> = {
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  413: 'too-large',
  501: 'not-implemented',
  503: 'unavailable',
  507: 'no-space',
}

async function toError(head: ResponseHead, body: Answer['body']): Promise<BerthError> {
  const text = (await collect({ body }, maxErrorBody)).toString().trim()
  const message = messageIn(text) ?? (text === '' ? `${head.status} ${head.reason}` : text)
  return new BerthError(kindOf[head.status] ?? 'internal', `Error response from daemon: ${message.trim()}`, {
    code: 'engine',
  })
}

function messageIn(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) return String(parsed.message)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return undefined
}

/** Lines of a stream, without their ends and without empty ones. */
export async function* readLines(body: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of body) {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (let newline = bytes.indexOf(10); newline >= 0; newline = bytes.indexOf(10)) {
      const line = bytes.toString('utf8', 0, newline).trim()
      if (line !== '') yield line
      bytes = bytes.subarray(newline + 1)
    }
    rest = bytes
  }
  const last = rest.toString().trim()
  if (last !== '') yield last
}

/** Values of a stream of JSON texts, one a line.   @throws `internal` when a line is not JSON */
export async function* readJsonLines<T>(body: AsyncIterable<Buffer>): AsyncGenerator<T, void, undefined> {
  for await (const line of readLines(body)) {
    try {
      yield JSON.parse(line) as T
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      throw new BerthError('internal', `the engine sent something that is not JSON: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }
}
