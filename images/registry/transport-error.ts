import { STATUS_CODES } from 'node:http'
import { BerthError, messageOf, systemCode, timeout, unavailable } from '#base/errors.ts'

/** Failures of the moment: the same request may well succeed a second later. */
const transient: readonly string[] = [
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]

export function isTransient(error: unknown): boolean {
  const code = codeOf(error)
  return code !== undefined && transient.includes(code)
}

/** Says in the words of Docker (those of Go's net package) what kept the request from an answer; the query is left out, it may be a secret. */
export function toTransportError(
  error: unknown,
  { method, url }: { method: string; url: string },
  proxy?: URL,
): BerthError {
  const verb = `${method[0]}${method.slice(1).toLowerCase()}`
  const text = `failed to do request: ${verb} "${withoutSecrets(url)}": ${reasonOf(error, url, proxy)}`
  const code = codeOf(error)
  const isLate = code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT'
  return isLate ? timeout(text, { cause: error }) : unavailable(text, { cause: error, code: 'registry-unreachable' })
}

/** The same in the words of Docker's pushes and searches, which begin otherwise than its pulls. */
export function inPlainWords(error: unknown): unknown {
  const prefix = 'failed to do request: '
  if (!(error instanceof BerthError) || !error.message.startsWith(prefix)) return error
  return new BerthError(error.kind, error.message.slice(prefix.length), {
    ...(error.code !== undefined && { code: error.code }),
    cause: error,
  })
}

/** Whether there was no answer at all. */
export function isUnreachable(error: unknown): error is BerthError {
  return error instanceof BerthError && error.kind === 'unavailable' && error.code === 'registry-unreachable'
}

export function withoutSecrets(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

function reasonOf(error: unknown, url: string, proxy: URL | undefined): string {
  const code = codeOf(error) ?? ''
  const atProxy = proxy && refusalOfProxy(error)
  if (atProxy) return `proxyconnect tcp: ${atProxy}`
  const dialling = dialReasonOf(code, proxy ?? new URL(url))
  if (dialling) return proxy ? `proxyconnect tcp: ${dialling}` : dialling
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'read: connection reset by peer'
  if (code === 'UND_ERR_SOCKET') return 'EOF'
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return 'timeout awaiting response headers'
  if (code === 'UND_ERR_BODY_TIMEOUT') return 'the server has stopped sending'
  if (isPlainAnswer(error)) return 'http: server gave HTTP response to HTTPS client'
  const alert = alertOf(rootOf(error))
  if (alert) return `remote error: tls: ${alert}`
  const message = messageOf(rootOf(error))
  // Node adds advice for people who start it themselves.
  return isCertificateError(code) ? `tls: failed to verify certificate: ${message.split(';')[0]}` : message
}

function dialReasonOf(code: string, { hostname, port, protocol }: URL): string | undefined {
  const at = `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`
  if (code === 'ECONNREFUSED') return `dial tcp ${at}: connect: connection refused`
  if (code === 'ENETUNREACH') return `dial tcp ${at}: connect: network is unreachable`
  if (code === 'EHOSTUNREACH') return `dial tcp ${at}: connect: no route to host`
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') return `dial tcp ${at}: i/o timeout`
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${hostname}: no such host`
  if (code === 'EAI_AGAIN') return `dial tcp: lookup ${hostname}: server misbehaving`
  return undefined
}

/** undici has no field for the status of an answer to CONNECT. */
function refusalOfProxy(error: unknown): string | undefined {
  const code = codeOf(error)
  if (code === 'UND_ERR_PRX_CONN') return 'EOF'
  const status = /^Proxy response \((\d{3})\)|^Proxy Authentication Required \((\d{3})\)/.exec(messageOf(rootOf(error)))
  return status ? STATUS_CODES[status[1] ?? status[2] ?? ''] : undefined
}

/** What the other side says before it ends a TLS connection: a certificate that it wants or does not take. */
export function isAlert(error: unknown): boolean {
  return alertOf(error) !== undefined
}

function alertOf(error: unknown): string | undefined {
  return /\balert ([a-z ]+):/.exec(messageOf(error))?.[1]
}

/** Codes of OpenSSL's verification, as Node passes them on. */
function isCertificateError(code: string): boolean {
  return /CERT|SIGNATURE/.test(code) || code === 'ERR_TLS_CERT_ALTNAME_INVALID'
}

/** Whether a TLS handshake met a server that does not speak TLS. */
function isPlainAnswer(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG' || code === 'EPROTO'
}

function codeOf(error: unknown): string | undefined {
  return systemCode(rootOf(error))
}

/** The first error that carries a code: dialling several addresses wraps them. */
function rootOf(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return rootOf(error.errors[0])
  if (systemCode(error) === undefined && error instanceof Error && error.cause instanceof Error) {
    return rootOf(error.cause)
  }
  return error
}
