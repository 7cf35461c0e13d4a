import type { Dispatcher } from 'undici'
import { type Proxies, proxyFor } from './proxies.ts'
import type { TransportLimits } from './transport.ts'
import { isAlert } from './transport-error.ts'

/** At a time, to one host: registries count them. */
const maxPerHost = 6

/** Connections are kept per host, with its own certificates. undici is loaded by the first. */
export class Connections implements AsyncDisposable {
  readonly #limits: TransportLimits
  readonly #proxies: Proxies
  readonly #dispatchers = new Map<string, Promise<Dispatcher>>()
  /** By host: the alert with which it ended a connection. */
  readonly #alerts = new Map<string, Error>()

  constructor(limits: TransportLimits, proxies: Proxies) {
    this.#limits = limits
    this.#proxies = proxies
  }

  async to(url: string, verifyTls: boolean): Promise<Dispatcher> {
    const { host, protocol } = new URL(url)
    const key = `${verifyTls} ${protocol}//${host}`
    const found = this.#dispatchers.get(key) ?? this.#open(host, { verifyTls, proxy: this.proxyFor(url) })
    this.#dispatchers.set(key, found)
    return await found
  }

  proxyFor(url: string): URL | undefined {
    return proxyFor(url, this.#proxies)
  }

  /** Why the host ended our connection, when it said so: undici tells only that it did. */
  alertOf(url: string): Error | undefined {
    return this.#alerts.get(new URL(url).host)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const dispatchers = await Promise.allSettled(this.#dispatchers.values())
    this.#dispatchers.clear()
    for (const opened of dispatchers) if (opened.status === 'fulfilled') await opened.value.destroy()
  }

  async #open(host: string, { verifyTls, proxy }: { verifyTls: boolean; proxy: URL | undefined }): Promise<Dispatcher> {
    const { Agent, ProxyAgent, buildConnector } = await import('undici')
    const { trustFor } = await import('./certificates.ts')
    const { connectTimeoutMs, headersTimeoutMs, stallTimeoutMs } = this.#limits
    const tls = { rejectUnauthorized: verifyTls, ...(verifyTls && { secureContext: await trustFor(host) }) }
    const options = {
      allowH2: false,
      connections: maxPerHost,
      headersTimeout: headersTimeoutMs,
      bodyTimeout: stallTimeoutMs,
    }
    if (!proxy) {
      const connect = buildConnector({ allowH2: false, timeout: connectTimeoutMs, ...tls })
      return new Agent({
        ...options,
        connect: (target, callback) =>
          connect(target, (...result) => {
            result[1]?.on('error', (error) => {
              if (isAlert(error)) this.#alerts.set(host, error)
            })
            callback(...result)
          }),
      })
    }
    return new ProxyAgent({
      ...options,
      uri: proxy.href,
      requestTls: { timeout: connectTimeoutMs, ...tls },
      proxyTls: {
        timeout: connectTimeoutMs,
        ...(proxy.protocol === 'https:' && { secureContext: await trustFor(proxy.host) }),
      },
    })
  }
}
