import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type TlsOptions } from 'node:tls'
import { invalid, messageOf } from '#base/errors.ts'
import type { Config } from '#engine/config.ts'

/** How connections that come over the network are served. `plain` only where somebody has said so. */
export type NetworkAccess =
  | { readonly kind: 'verified' | 'encrypted'; readonly tls: TlsOptions }
  | { readonly kind: 'plain' | 'undecided' }

type TlsSettings = Pick<Config, 'tls' | 'tlsVerify' | 'tlsCaCert' | 'tlsCert' | 'tlsKey'>

/**
 * Whoever talks to the engine is root on this host, so the network is served to clients with certificates. Less must be asked for
 * in so many words, as dockerd announces to want it: `tlsverify=false` for whoever has the address, `tls=false` for the whole network.
 * @throws `invalid` for certificates that cannot be used
 */
export function networkAccess(settings: TlsSettings): NetworkAccess {
  const { tls, tlsVerify } = settings
  if (tlsVerify === undefined && tls === false) return { kind: 'plain' }
  if (tlsVerify === undefined && tls === undefined) return { kind: 'undecided' }
  const identity = identityOf(settings)
  if (tlsVerify === false) return { kind: 'encrypted', tls: identity }
  if (tlsVerify === undefined) return { kind: 'undecided' }
  const ca = read(settings.tlsCaCert, 'tlscacert')
  const verified = { ...identity, ca, requestCert: true, rejectUnauthorized: true }
  // Of an empty list Node would make the public authorities, and serve all their customers.
  check(() => new X509Certificate(ca))
  check(() => createSecureContext(verified))
  return { kind: 'verified', tls: verified }
}

/** @throws `invalid` where nobody has said who may come in over the network */
export function refuseUndecided({ kind }: NetworkAccess, host: string): void {
  if (kind !== 'undecided') return
  throw invalid(
    `${host} is refused: whoever reaches it is root on this host. Give --tlsverify with --tlscacert, --tlscert and --tlskey; or take the risk with --tlsverify=false (no certificates of clients) or --tls=false (no TLS)`,
  )
}

function identityOf({ tlsCert, tlsKey }: TlsSettings): TlsOptions {
  const identity = { cert: read(tlsCert, 'tlscert'), key: read(tlsKey, 'tlskey'), minVersion: 'TLSv1.2' } as const
  check(() => [new X509Certificate(identity.cert), createPrivateKey(identity.key)])
  check(() => createSecureContext(identity))
  return identity
}

function read(path: string | undefined, name: string): string {
  if (path === undefined) throw invalid(`invalid TLS configuration: give --${name}`)
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw invalid(`invalid TLS configuration: --${name}: ${messageOf(cause)}`, { cause })
  }
}

/** What is wrong with a certificate would be said to the first client only, and of an empty one never. */
function check(work: () => unknown): void {
  try {
    work()
  } catch (cause) {
    throw invalid(`invalid TLS configuration: ${messageOf(cause)}`, { cause })
  }
}
