import type { Readable } from 'node:stream'
import { abortError } from '#base/abort.ts'
import { type Clock, systemClock } from '#base/clock.ts'
import { BerthError, forbidden, invalid } from '#base/errors.ts'
import { Connections } from './connections.ts'
import { noProxies, type Proxies } from './proxies.ts'
import { isTransient, toTransportError } from './transport-error.ts'

export interface TransportLimits {
  readonly connectTimeoutMs: number
  /** From the request to the headers of its answer. */
  readonly headersTimeoutMs: number
  /** Between two pieces of a body; a blob must bring more than a trickle in that time. */
  readonly stallTimeoutMs: number
  /** For a whole manifest, token or list of tags, attempts included. */
  readonly documentTimeoutMs: number
  /** How often a request is sent before its failure counts. */
  readonly attempts: number
  /** Blobs above this are pushed in pieces of it. */
  readonly uploadPieceBytes: number
  /** The first pause; it doubles, with jitter. A server's Retry-After wins. */
  readonly backoffMs: number
}

const defaultTransportLimits: TransportLimits = {
  connectTimeoutMs: 15_000,
  headersTimeoutMs: 30_000,
  stallTimeoutMs: 60_000,
  documentTimeoutMs: 180_000,
  attempts: 5,
  uploadPieceBytes: 64 << 20,
  backoffMs: 500,
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface TransportOptions {
  readonly limits?: Partial<TransportLimits> | undefined
  readonly proxies?: Proxies
  readonly clock?: Clock
}

export interface RegistryRequest {
  readonly method: Method
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** A stream is opened anew for every attempt; the headers must then say its length. */
  readonly body?: string | Uint8Array | (() => Readable)
  /** The body holds credentials: a redirect to where they may not be shown is refused. */
  readonly hasSecretBody?: boolean
  readonly verifyTls: boolean
  /** Instead of the transport's own number. */
  readonly attempts?: number
  /** Instead of the transport's own: for what a registry takes long to finish. */
  readonly headersTimeoutMs?: number
  readonly signal: AbortSignal
}

export interface RegistryResponse {
  readonly status: number
  readonly statusText: string
  /** The URL that answered, after redirects. */
  readonly url: string
  header(name: string): string | undefined
  /** To be read to its end, or discarded. */
  readonly body: Readable
  /** Reads a short rest, so that the connection can be used again, or closes it. */
  discard(): Promise<void>
}

const maxRedirects = 10
const maxDiscardBytes = 64 << 10
/** Whoever asks for more is not waited for: its answer is told. */
const maxRetryAfterMs = 10_000

/** HTTP as registries need it: time limits, few retries, redirects that show credentials to nobody else. */
export class Transport implements AsyncDisposable {
  readonly limits: TransportLimits
  readonly #clock: Clock
  readonly #connections: Connections

  constructor({ limits, proxies = noProxies, clock = systemClock }: TransportOptions = {}) {
    this.limits = { ...defaultTransportLimits, ...limits }
    this.#clock = clock
    this.#connections = new Connections(this.limits, proxies)
  }

  /** Resolves with the headers of the last answer, whatever its status.   @throws `unavailable`, `timeout`, `cancelled` */
  async send(request: RegistryRequest): Promise<RegistryResponse> {
    for (let attempt = 1; ; attempt += 1) {
      const isLast = attempt >= (request.attempts ?? this.limits.attempts)
      try {
        const response = await this.#follow(request)
        const waitMs = retryAfterMs(response, this.#clock.now())
        if (isLast || !isBusy(response.status) || (waitMs ?? 0) > maxRetryAfterMs) return response
        await response.discard()
        await this.#pause(attempt, waitMs, request.signal)
      } catch (thrown) {
        if (request.signal.aborted) throw abortError(request.signal)
        if (thrown instanceof BerthError) throw thrown
        const error = this.#connections.alertOf(request.url) ?? thrown
        if (isLast || !isTransient(error))
          throw toTransportError(error, request, this.#connections.proxyFor(request.url))
        await this.#pause(attempt, undefined, request.signal)
      }
    }
  }

  /** Waits before attempt `attempt + 1` of something that failed for a passing reason. */
  async pause(attempt: number, signal: AbortSignal): Promise<void> {
    await this.#pause(attempt, undefined, signal)
  }

  /** How long a pause before attempt `attempt + 1` at a layer is. A registry that is started again takes longer to be there than one
   *  request is worth; layers are worth it. */
  layerBackoffMs(attempt: number): number {
    return 4 * this.#backoffMs(attempt)
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(ms, { signal })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections[Symbol.asyncDispose]()
  }

  async #follow(request: RegistryRequest): Promise<RegistryResponse> {
    let { url, headers } = request
    for (let hop = 0; ; hop += 1) {
      const response = await this.#sendOnce({ ...request, url, headers })
      const location = response.header('location')
      if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) return response
      await response.discard()
      if (hop >= maxRedirects) throw invalid(`${new URL(request.url).host} redirects more than ${maxRedirects} times`)
      const target = resolveLocation(location, url, request.verifyTls)
      if (!mayShowCredentials(new URL(url), target)) {
        if (request.hasSecretBody) throw forbidden(refusalOf(new URL(url), target))
        headers = withoutCredentials(headers)
      }
      url = target.href
    }
  }

  async #sendOnce({
    method,
    url,
    headers,
    body,
    verifyTls,
    headersTimeoutMs,
    signal,
  }: RegistryRequest): Promise<RegistryResponse> {
    const { request } = await import('undici')
    const dispatcher = await this.#connections.to(url, verifyTls)
    const answer = await request(url, {
      dispatcher,
      method,
      headers: { 'user-agent': 'berth', ...headers },
      signal,
      ...(body !== undefined && { body: typeof body === 'function' ? body() : body }),
      ...(headersTimeoutMs !== undefined && { headersTimeout: headersTimeoutMs }),
    })
    // Who reads it gets its errors from reading; one that is thrown away has nobody to take them.
    answer.body.on('error', () => undefined)
    return {
      status: answer.statusCode,
      statusText: answer.statusText,
      url,
      header: (name) => [answer.headers[name]].flat()[0],
      body: answer.body,
      discard: () => answer.body.dump({ limit: maxDiscardBytes, signal }).catch(() => undefined),
    }
  }

  async #pause(attempt: number, askedMs: number | undefined, signal: AbortSignal): Promise<void> {
    await this.sleep(askedMs ?? this.#backoffMs(attempt), signal)
  }

  /** Longer each time, with jitter. */
  #backoffMs(attempt: number): number {
    return this.limits.backoffMs * 2 ** (attempt - 1) * (0.5 + Math.random())
  }
}

/** How long the server asks to wait, in seconds or until a date. @see RFC 9110 §10.2.3 */
function retryAfterMs(response: RegistryResponse, now: Date): number | undefined {
  const text = response.header('retry-after') ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime())
}

/** Answers that say: not now. */
export function isBusy(status: number): boolean {
  return status === 429 || status === 500 || status === 502 || status === 503 || status === 504
}

/** Where a Location header leads to.   @throws `invalid` for what is no web address, and for the way from TLS to none */
export function resolveLocation(location: string, from: string, verifyTls: boolean): URL {
  const target = URL.parse(location, from)
  if (!target || (target.protocol !== 'https:' && target.protocol !== 'http:')) {
    throw invalid(`${new URL(from).host} redirects to something that is not a web address`)
  }
  if (verifyTls && target.protocol !== 'https:' && new URL(from).protocol === 'https:') {
    throw invalid(`${new URL(from).host} redirects from https to http, which is refused`)
  }
  return target
}

/** To the same server only, and never on from TLS to none. */
export function mayShowCredentials(from: URL, to: URL): boolean {
  return to.host === from.host && (to.protocol === 'https:' || from.protocol === 'http:')
}

function refusalOf(from: URL, to: URL): string {
  return `${from.host} sends us on to ${to.host}, to which credentials are not sent`
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'authorization' && name !== 'cookie'))
}
