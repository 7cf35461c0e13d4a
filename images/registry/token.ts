import { deadline } from '#base/abort.ts'
import { BerthError, forbidden, invalid, isKind, unauthorized } from '#base/errors.ts'
import { readAll } from '#base/streams.ts'
import { JsonReader } from '#oci/json.ts'
import type { Challenge } from './challenge.ts'
import { basicAuthorization, type Credentials } from './credentials.ts'
import { readSpecError } from './spec-error.ts'
import type { RegistryRequest, RegistryResponse, Transport } from './transport.ts'

const maxTokenBytes = 1 << 20

export interface TokenRequest {
  readonly challenge: Challenge
  readonly credentials: Credentials
  /** `repository:library/busybox:pull`, when the challenge names none; several are separated by spaces. */
  readonly scope: string | undefined
  /** Also ask for a token that stands for the credentials from now on. */
  readonly offline?: boolean
  /** Of the registry that asked; a token server is trusted neither more nor less than it. */
  readonly endpoint: { readonly base: string; readonly verifyTls: boolean }
  readonly signal: AbortSignal
}

export interface Tokens {
  readonly token: string
  readonly refreshToken: string | undefined
}

/** Gets a bearer token for one scope.   @throws `unauthorized`, `invalid`, and as the transport does
 *  @see distribution-spec: token authentication */
export async function fetchToken(transport: Transport, request: TokenRequest): Promise<Tokens> {
  const realm = realmOf(request)
  using limit = deadline(transport.limits.documentTimeoutMs, `getting a token from ${realm.host}`, request.signal)
  const response = await transport.send({ ...toTokenRequest(realm, request), signal: limit.signal })
  if (response.status !== 200) throw await tokenError(response)
  const body = (await readAll(response.body, maxTokenBytes, `the answer of ${realm.host}`)).toString('utf8')
  const reader = JsonReader.parse(body, `the token of ${realm.host}`)
  const token = ['token', 'access_token'].map((name) => reader.field(name).optional((field) => field.string()))
  const found = token.find((text) => text)
  if (!found) throw invalid(`authorization server ${realm.host} did not include a token in the response`)
  // It goes into a header; anything else would be an injection.
  if (!/^[\x21-\x7e]+$/.test(found)) throw invalid(`authorization server ${realm.host} sent a malformed token`)
  return { token: found, refreshToken: reader.field('refresh_token').optional((field) => field.string()) }
}

function realmOf({ challenge, credentials, endpoint }: TokenRequest): URL {
  const text = challenge.parameters.realm ?? ''
  const realm = URL.parse(text)
  if (!realm || (realm.protocol !== 'https:' && realm.protocol !== 'http:')) {
    throw invalid(
      `${new URL(endpoint.base).host} asks for a token from '${text.slice(0, 200)}', which is no web address`,
    )
  }
  if (realm.protocol === 'http:' && endpoint.base.startsWith('https:') && credentials.kind !== 'none') {
    throw forbidden(`credentials are not sent to ${realm.host} without TLS`)
  }
  return realm
}

function toTokenRequest(
  realm: URL,
  { challenge, credentials, scope, offline = false, endpoint, signal }: TokenRequest,
): RegistryRequest {
  const service = challenge.parameters.service
  const base = { verifyTls: endpoint.verifyTls, signal }
  const asked = challenge.parameters.scope ?? scope
  const wanted = { ...(service !== undefined && { service }), ...(asked !== undefined && { scope: asked }) }
  if (credentials.kind === 'refresh-token') {
    const form = { grant_type: 'refresh_token', refresh_token: credentials.token, client_id: 'berth', ...wanted }
    return {
      ...base,
      method: 'POST',
      url: realm.href,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
      hasSecretBody: true,
    }
  }
  const url = new URL(realm)
  if (service !== undefined) url.searchParams.set('service', service)
  for (const one of asked?.split(' ') ?? []) url.searchParams.append('scope', one)
  if (offline) {
    url.searchParams.set('offline_token', 'true')
    url.searchParams.set('client_id', 'berth')
  }
  if (credentials.kind !== 'password') return { ...base, method: 'GET', url: url.href, headers: {} }
  url.searchParams.set('account', credentials.username)
  return { ...base, method: 'GET', url: url.href, headers: { authorization: basicAuthorization(credentials) } }
}

async function tokenError(response: RegistryResponse): Promise<BerthError> {
  const { host } = new URL(response.url)
  const { message, status } = await readSpecError(response)
  if (status === 401 || status === 403)
    return unauthorized(`unauthorized: ${message}`, { code: 'registry-unauthorized' })
  return new BerthError('unavailable', `failed to fetch an anonymous or authorized token from ${host}: ${message}`)
}

/** Whether the failure is about who asks: another endpoint would not help. */
export function isAuthenticationError(error: unknown): boolean {
  return isKind(error, 'unauthorized') || isKind(error, 'forbidden')
}
