import type { Reference } from '#oci/reference.ts'
import { isInsecure } from './insecure-hosts.ts'
import { mirrorsOf, type RegistryConfig } from './registry-config.ts'

/** A place to ask for a repository. */
export interface Endpoint {
  /** Without a slash at the end: `https://registry-1.docker.io`. */
  readonly base: string
  readonly verifyTls: boolean
  /** Set for mirrors, which never see the credentials of the registry that they mirror. */
  readonly mirrorOf?: {
    /** The registry's domain. */
    readonly domain: string
    /** Goes before the repository's path: `cache/ghcr/`, or empty. */
    readonly prefix: string
  }
  /** TLS where plain HTTP is tried next. */
  readonly isGuess: boolean
}

const hubHost = 'registry-1.docker.io'

/** Where to ask for a repository, best first: its mirrors, then its registry. */
export async function endpointsOf(
  reference: Pick<Reference, 'domain' | 'path'>,
  config: RegistryConfig,
): Promise<readonly Endpoint[]> {
  const mirrors = mirrorsOf(reference, config).map(async ({ origin, prefix }): Promise<Endpoint> => {
    const verifyTls = !(await isInsecure(new URL(origin).host, config.insecure))
    return { base: origin, verifyTls, mirrorOf: { domain: reference.domain, prefix }, isGuess: false }
  })
  return [...(await Promise.all(mirrors)), ...(await originsOf(reference.domain, config))]
}

/** The registry itself, for logins and pushes. An insecure one is tried with TLS before plain HTTP. */
export async function originsOf(domain: string, config: RegistryConfig): Promise<readonly Endpoint[]> {
  const host = domain === 'docker.io' ? hubHost : domain
  const mayBeInsecure = domain !== 'docker.io' && (await isInsecure(host, config.insecure))
  const secure = { base: `https://${host}`, verifyTls: !mayBeInsecure, isGuess: mayBeInsecure }
  return mayBeInsecure ? [secure, { base: `http://${host}`, verifyTls: false, isGuess: false }] : [secure]
}
