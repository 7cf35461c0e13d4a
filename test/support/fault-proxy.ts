import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'

export interface ProxiedRequest {
  readonly method: string
  /** With the query: `/v2/busybox/manifests/latest` */
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** How many requests with this method and path came before. */
  readonly before: number
}

/** What the proxy says instead of the registry. */
export interface Fault {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Closes the connection after so many bytes of the body. */
  readonly cutAfter?: number
  /** With `cutAfter`: the connection is reset, not closed. */
  readonly reset?: boolean
  /** Does not say how long the body is. */
  readonly chunked?: boolean
  /** Sends the headers (and `cutAfter` bytes) and then nothing more. */
  readonly stall?: boolean
  /** Sends one byte each so many milliseconds. */
  readonly trickleMs?: number
  /** Takes so many bytes of the request's body, of which it passes nothing on, and closes the connection. */
  readonly dropAfter?: number
  /** Passes the request on and changes only what is said here: the registry's own body and headers are the rest. */
  readonly forward?: boolean
  /** Passes the request on and closes the connection instead of answering. */
  readonly loseAnswer?: boolean
  /** Passes the request on to this path. */
  readonly forwardTo?: string
  /** What uploads are sent on to, instead of this proxy: `http://127.0.0.1:5000`, or '' for a path alone. */
  readonly locationBase?: string
}

export interface FaultProxy extends AsyncDisposable {
  readonly host: string
  readonly requests: readonly ProxiedRequest[]
}

/** Stands before a registry and does to chosen requests what bad networks and bad people do. */
export async function startFaultProxy(
  upstream: string,
  faultOf: (request: ProxiedRequest) => Fault | undefined,
  port = 0,
): Promise<FaultProxy> {
  const requests: ProxiedRequest[] = []
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming
    const before = requests.filter((one) => one.method === method && one.path === url).length
    const seen = { method, path: url, headers, before }
    requests.push(seen)
    const fault = faultOf(seen)
    if (fault?.dropAfter !== undefined) {
      drop(incoming, fault.dropAfter)
      return
    }
    const answered = fault && !fault.forward ? answer(outgoing, fault) : forward(upstream, incoming, outgoing, fault)
    // The client went away, or the fault was to cut it off.
    answered.catch(() => outgoing.destroy())
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function drop(incoming: IncomingMessage, afterBytes: number): void {
  let bytes = 0
  incoming
    .on('error', () => undefined)
    .on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes >= afterBytes) incoming.destroy()
    })
}

async function answer(outgoing: ServerResponse, fault: Fault): Promise<void> {
  const { status = 200, headers = {}, cutAfter, stall = false, trickleMs } = fault
  const { body: content = '' } = fault
  const body = typeof content === 'string' ? Buffer.from(content) : content
  const { 'content-length': _, ...others } = headers
  outgoing.writeHead(status, fault.chunked ? others : { 'content-length': body.length, ...headers })
  if (trickleMs !== undefined) {
    for (const byte of body) {
      outgoing.write(Buffer.of(byte))
      await delay(trickleMs)
      if (outgoing.destroyed) return
    }
  }
  if (cutAfter === undefined && !stall) {
    outgoing.end(body)
    return
  }
  outgoing.flushHeaders()
  const part = body.subarray(0, cutAfter ?? 0)
  if (part.length > 0) await new Promise((resolve) => outgoing.write(part, resolve))
  if (stall) return
  if (fault.reset) outgoing.socket?.resetAndDestroy()
  else outgoing.destroy()
}

async function forward(
  upstream: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  const { method, url, headers } = incoming
  const passed = request(`http://${upstream}${fault?.forwardTo ?? url}`, {
    method,
    headers: { ...headers, host: upstream },
    agent: false,
  })
  incoming.pipe(passed)
  const [response] = (await once(passed, 'response')) as [IncomingMessage]
  if (fault?.loseAnswer) {
    outgoing.destroy()
    return
  }
  if (fault?.cutAfter !== undefined || fault?.stall || fault?.trickleMs !== undefined) {
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    await answer(outgoing, {
      ...fault,
      headers: { ...plain(response.headers), ...fault.headers },
      body: Buffer.concat(chunks),
    })
    return
  }
  const base = fault?.locationBase ?? `http://${headers.host}`
  const location = response.headers.location?.replace(`http://${upstream}`, base)
  const own = { ...response.headers, ...(location !== undefined && { location }) }
  outgoing.writeHead(fault?.status ?? response.statusCode ?? 502, { ...own, ...fault?.headers })
  await pipeline(response, outgoing)
}

function plain(headers: IncomingMessage['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
