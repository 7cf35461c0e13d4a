import { join } from 'node:path'
import { readNamed } from '../config/read-named.ts'
import { completeHost } from './address.ts'

/** Where an engine is and how it is trusted, as flags, the environment or a context say. */
export interface Endpoint {
  readonly host: string
  readonly skipTlsVerify: boolean
  readonly tls: TlsMaterial | undefined
}

/** PEM texts. */
export interface TlsMaterial {
  readonly ca?: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
}

export interface EndpointOptions {
  /** Empty: `standardHost`, or docker's own TLS port when TLS is asked for. */
  readonly host: string
  readonly standardHost: string
  readonly tls: TlsFiles | undefined
}

/** Paths; empty ones are not read. */
export interface TlsFiles {
  readonly ca: string
  readonly cert: string
  readonly key: string
  readonly skipVerify: boolean
}

/** What flags and environment say.   @throws `invalid`, for a host, and in Go's words for a file that cannot be read */
export function toEndpoint({ host, standardHost, tls }: EndpointOptions): Endpoint {
  const standard = tls ? 'tcp://localhost:2376' : standardHost
  return {
    host: host.trim() === '' ? standard : completeHost(host, standardHost),
    skipTlsVerify: tls?.skipVerify ?? false,
    tls: tls && readTlsFiles(tls),
  }
}

/** Undefined when no file is named.   @throws `invalid` */
export function readTlsFiles({ ca, cert, key }: Omit<TlsFiles, 'skipVerify'>): TlsMaterial | undefined {
  const material = {
    ...(ca !== '' && { ca: readNamed(ca) }),
    ...(cert !== '' && { cert: readNamed(cert) }),
    ...(key !== '' && { key: readNamed(key) }),
  }
  return Object.keys(material).length === 0 ? undefined : material
}

export interface TlsFlags {
  readonly tls: boolean
  readonly tlsverify: boolean
  readonly tlscacert: string
  readonly tlscert: string
  readonly tlskey: string
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The files that make TLS, or undefined without it. Naming `--tlsverify` at all turns TLS on; certificate and key of the user are
 * taken from the certificates' directory only when they are there.
 */
export function tlsFilesOf(
  flags: TlsFlags,
  given: ReadonlySet<string>,
  { env, configDirectory, exists }: { env: Environment; configDirectory: string; exists(path: string): boolean },
): TlsFiles | undefined {
  const verify = given.has('tlsverify') ? flags.tlsverify : Boolean(env.DOCKER_TLS_VERIFY)
  const on = given.has('tls') ? flags.tls : Boolean(env.DOCKER_TLS)
  if (!on && !verify && !given.has('tlsverify')) return undefined
  const directory = env.DOCKER_CERT_PATH || configDirectory
  const optional = (path: string): string => (exists(path) ? path : '')
  return {
    ca: given.has('tlscacert') ? flags.tlscacert : join(directory, 'ca.pem'),
    cert: given.has('tlscert') ? flags.tlscert : optional(join(directory, 'cert.pem')),
    key: given.has('tlskey') ? flags.tlskey : optional(join(directory, 'key.pem')),
    skipVerify: !verify,
  }
}
