import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { internal, messageOf, timeout, tooLarge, unavailable } from '#base/errors.ts'
import type { PluginAddress, PluginTls } from './discovery.ts'

/** A list of a hundred thousand volumes fits. */
const answerLimit = 16 << 20
const errorLimit = 4096
const contentType = 'application/vnd.docker.plugins.v1.2+json'

/** Calls of one plugin, by Docker's plugin protocol: JSON both ways, one POST a call. */
export class PluginClient {
  readonly #address: PluginAddress

  constructor(address: PluginAddress) {
    this.#address = address
  }

  /** @throws `unavailable` when nobody is there, `timeout`, `too-large`, `internal` with what the plugin says */
  async call(method: string, body: object, timeoutMs: number): Promise<Readonly<Record<string, unknown>>> {
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      const response = await this.#send(method, JSON.stringify(body), signal)
      const text = await readAll(response, `plugin ${this.#address.name}`)
      if (response.statusCode !== 200) throw internal(`${method}: ${errorOf(text)}`)
      return parseAnswer(text, this.#address.name, method)
    } catch (error) {
      if (!signal.aborted) throw error
      throw timeout(`plugin ${this.#address.name} did not answer ${method} within ${timeoutMs / 1000} s`, {
        cause: error,
      })
    }
  }

  async #send(method: string, body: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { name, url, tls } = this.#address
    const options: RequestOptions = {
      method: 'POST',
      path: `/${method}`,
      agent: false,
      signal,
      headers: { Accept: contentType, 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) },
      ...placeOf(url, name),
    }
    const isSecure = url.protocol === 'https:' || (url.protocol === 'tcp:' && tls !== undefined)
    const sent = isSecure ? httpsRequest({ ...options, ...(await tlsOptions(tls)) }) : httpRequest(options)
    sent.end(body)
    try {
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      return response
    } catch (cause) {
      throw unavailable(`plugin ${name} cannot be reached: ${messageOf(cause)}`, { cause })
    }
  }
}

function placeOf(url: URL, name: string): RequestOptions {
  // The host that dockerd sends: some plugins look at it.
  if (url.protocol === 'unix:') return { socketPath: decodeURIComponent(url.pathname), host: name }
  return { host: url.hostname, ...(url.port !== '' && { port: Number(url.port) }) }
}

async function tlsOptions(tls: PluginTls | undefined): Promise<object> {
  if (!tls) return {}
  const read = async (path: string) => (path === '' ? undefined : await readFile(path))
  const [ca, cert, key] = await Promise.all([tls.ca, tls.cert, tls.key].map(read))
  return { rejectUnauthorized: !tls.insecure, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
}

async function readAll(response: IncomingMessage, who: string): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > answerLimit) throw tooLarge(`${who} answered more than ${answerLimit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseAnswer(text: string, name: string, method: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = text.trim() === '' ? {} : JSON.parse(text)
  } catch (cause) {
    throw internal(`plugin ${name} answered ${method} with something that is no JSON`, { cause })
  }
  if (typeof value !== 'object' || value === null) throw internal(`plugin ${name} answered ${method} without an object`)
  const answer = value as Record<string, unknown>
  if (typeof answer.Err === 'string' && answer.Err !== '') throw internal(answer.Err.slice(0, errorLimit))
  return answer
}

/** Of an answer that is no 200: its `Err`, or its text. */
function errorOf(text: string): string {
  try {
    const { Err } = JSON.parse(text) as { Err?: unknown }
    if (typeof Err === 'string' && Err !== '') return Err.slice(0, errorLimit)
  } catch {
    // Not JSON: the text is the error.
  }
  return text.trim().slice(0, errorLimit)
}
