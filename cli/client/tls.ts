import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { type ConnectionOptions, connect, createSecureContext, type TLSSocket } from 'node:tls'
import { invalid, messageOf, systemCode } from '#base/errors.ts'
import type { TcpAddress, TlsTrust } from './address.ts'

/** Begins a TLS connection; `secureConnect` tells that it is there.   @throws `invalid` for texts that are no certificate or key */
export function openTls({ host, port }: TcpAddress, trust: TlsTrust): TLSSocket {
  return connect({
    host,
    port,
    ...(isIP(host) === 0 && { servername: host }),
    ...identity(trust),
    rejectUnauthorized: !trust.skipVerify,
    minVersion: 'TLSv1.2',
    allowHalfOpen: true,
    noDelay: true,
  } as ConnectionOptions)
}

/** @throws `invalid`, in docker's words, and never with a key's text */
export function checkTls({ ca, cert, key }: TlsTrust): void {
  if (ca) {
    try {
      new X509Certificate(ca)
    } catch (error) {
      throw invalid('failed to retrieve context tls info: ca.pem seems invalid', { cause: error })
    }
  }
  if (!cert || !key) return
  const text = key.toString('latin1')
  if (!text.includes('-----BEGIN ')) throw invalid('no valid private key found')
  if (!text.includes('PRIVATE KEY-----') && text.includes('-----BEGIN CERTIFICATE-----')) {
    throw invalid(
      'failed to retrieve context tls info: tls: found a certificate rather than a key in the PEM for the private key',
    )
  }
  if (/^(Proc-Type: .*ENCRYPTED|-----BEGIN ENCRYPTED)/m.test(text)) {
    throw invalid(
      'private key is encrypted - support for encrypted private keys has been removed, see https://docs.docker.com/go/deprecated/',
    )
  }
  try {
    createSecureContext({ cert, key })
  } catch (error) {
    throw invalid(`failed to retrieve context tls info: tls: ${mismatch(error)}`)
  }
}

function identity({ ca, cert, key }: TlsTrust): ConnectionOptions {
  return { ...(ca && { ca }), ...(cert && key && { cert, key }) }
}

function mismatch(error: unknown): string {
  if (systemCode(error) === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') return 'private key does not match public key'
  return `the certificate and its key cannot be used (${systemCode(error) ?? 'unknown reason'})`
}

const notTrusted = new Set([
  ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ...['UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
])

/** Why TLS did not come about, in Go's words where they are known. */
export function tlsProblem(error: unknown): string {
  const code = systemCode(error) ?? ''
  const unverified = 'tls: failed to verify certificate: x509:'
  if (notTrusted.has(code)) return `${unverified} certificate signed by unknown authority`
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return `${unverified} certificate has expired or is not yet valid`
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `${unverified} ${messageOf(error)}`
  const alert = error instanceof Error && 'reason' in error ? / alert (.*)$/.exec(String(error.reason))?.[1] : undefined
  return alert === undefined ? messageOf(error) : `remote error: tls: ${alert}`
}
