import { invalid } from '#base/errors.ts'
import type { Endpoint } from '../client/endpoint.ts'

/** A named engine as docker keeps it on the disk; the names of the fields are the file's. */
export interface Context {
  readonly Name: string
  readonly Metadata: ContextMetadata
  readonly Endpoints: Readonly<Record<string, ContextEndpoint>>
}

/** What other programs have put there stays. */
export interface ContextMetadata {
  readonly Description?: string
  readonly [field: string]: unknown
}

export interface ContextEndpoint {
  readonly Host?: string
  readonly SkipTLSVerify: boolean
  readonly [field: string]: unknown
}

/** PEM texts by the name of their file, by endpoint. */
export type TlsByEndpoint = Readonly<Record<string, Readonly<Record<string, Buffer>>>>

/** The context that flags and environment make; it is on no disk. */
export const defaultName = 'default'
/** The endpoint that is an engine; others may stand beside it. */
export const engineEndpoint = 'docker'
export const defaultDescription = 'Current DOCKER_HOST based configuration'

const tlsFiles = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' } as const

/** @throws `invalid` in docker's words */
export function checkContextName(name: string): string {
  if (name === '') throw invalid('context name cannot be empty')
  if (name === defaultName) throw invalid('"default" is a reserved context name')
  const pattern = '^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$'
  if (new RegExp(pattern).test(name)) return name
  throw invalid(`context name ${JSON.stringify(name)} is invalid, names are validated against regexp "${pattern}"`)
}

/** @throws `invalid` when the context names no engine */
export function engineOf({ Endpoints }: Context): ContextEndpoint {
  const endpoint = Endpoints[engineEndpoint]
  if (!endpoint) throw invalid('cannot find docker endpoint in context')
  return endpoint
}

export function toContext(name: string, { host, skipTlsVerify }: Endpoint, metadata: ContextMetadata = {}): Context {
  const endpoint = { ...(host !== '' && { Host: host }), SkipTLSVerify: skipTlsVerify }
  return { Name: name, Metadata: metadata, Endpoints: { [engineEndpoint]: endpoint } }
}

export function toTlsFiles({ tls }: Endpoint): TlsByEndpoint {
  if (!tls) return {}
  const { ca, cert, key } = tls
  const files = {
    ...(ca && { [tlsFiles.ca]: ca }),
    ...(cert && { [tlsFiles.cert]: cert }),
    ...(key && { [tlsFiles.key]: key }),
  }
  return { [engineEndpoint]: files }
}

export function fromContext(context: Context, tls: TlsByEndpoint): Endpoint {
  const { Host = '', SkipTLSVerify } = engineOf(context)
  const files = tls[engineEndpoint] ?? {}
  const [ca, cert, key] = [files[tlsFiles.ca], files[tlsFiles.cert], files[tlsFiles.key]]
  const material = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  return {
    host: Host,
    skipTlsVerify: SkipTLSVerify === true,
    tls: Object.keys(material).length === 0 ? undefined : material,
  }
}
