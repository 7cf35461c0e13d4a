import type { Readable } from 'node:stream'
import { BerthError, invalid, unavailable } from '#base/errors.ts'
import type { RegistryConfig } from '../registry/registry-config.ts'
import { Transport, type TransportLimits } from '../registry/transport.ts'
import { withoutSecrets } from '../registry/transport-error.ts'

export interface RemoteArchive extends AsyncDisposable {
  /** For people: without what may be a secret. */
  readonly url: string
  readonly body: Readable
  /** In bytes; undefined when the server does not tell. */
  readonly size: number | undefined
}

export interface RemotePorts {
  readonly registries: RegistryConfig
  readonly transportLimits?: Partial<TransportLimits>
}

const maxErrorBytes = 1024

/** Asks a web server for an archive; the body is still to come.   @throws `invalid` for what is no web address, `not-found`, `unavailable` */
export async function openRemoteArchive(
  { registries, transportLimits: limits }: RemotePorts,
  address: string,
  signal: AbortSignal,
): Promise<RemoteArchive> {
  await using opened = new AsyncDisposableStack()
  const { url, shown, headers } = parseAddress(address)
  const transport = opened.use(new Transport({ proxies: registries.proxies, ...(limits && { limits }) }))
  const response = await transport.send({ method: 'GET', url, headers, verifyTls: true, attempts: 1, signal })
  if (response.status !== 200) {
    const text = await beginningOf(response.body)
    const kind = response.status === 404 ? 'not-found' : response.status < 500 ? 'invalid' : 'unavailable'
    throw new BerthError(
      kind,
      `failed to GET ${shown} with status ${response.status} ${response.statusText}: ${text}`.trim(),
    )
  }
  const length = response.header('content-length')
  const resources = opened.move()
  return {
    url: shown,
    body: response.body,
    size: length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
    async [Symbol.asyncDispose]() {
      response.body.destroy()
      await resources.disposeAsync()
    },
  }
}

interface Address {
  readonly url: string
  /** Without credentials and query. */
  readonly shown: string
  readonly headers: Record<string, string>
}

function parseAddress(address: string): Address {
  const url = URL.parse(/^\w+:\/\//.test(address) ? address : `http://${address}`)
  const user = url ? userOf(url) : undefined
  if (!url || user === undefined) throw invalid('the address of the archive is no URL')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw unavailable(`Get "${url.protocol}//${url.host}": unsupported protocol scheme "${url.protocol.slice(0, -1)}"`)
  }
  url.username = ''
  url.password = ''
  const headers: Record<string, string> =
    user === ':' ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` }
  return { url: url.href, shown: withoutSecrets(url.href), headers }
}

/** `name:password`; undefined where the escapes in it mean nothing. */
function userOf({ username, password }: URL): string | undefined {
  try {
    return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  } catch {
    return undefined
  }
}

async function beginningOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    chunks.push(chunk as Buffer)
    size += (chunk as Buffer).length
    if (size >= maxErrorBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxErrorBytes).toString('utf8').trim()
}
