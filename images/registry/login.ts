import { deadline } from '#base/abort.ts'
import { BerthError, unauthorized } from '#base/errors.ts'
import type { RegistryAuth } from '../transfer/progress.ts'
import { parseChallenges } from './challenge.ts'
import { basicAuthorization, type Credentials, credentialsOf } from './credentials.ts'
import { type Endpoint, originsOf } from './endpoints.ts'
import type { RegistryConfig } from './registry-config.ts'
import { hostOfServer } from './server-address.ts'
import { fetchToken } from './token.ts'
import { type RegistryResponse, Transport, type TransportLimits } from './transport.ts'
import { isUnreachable, withoutSecrets } from './transport-error.ts'

export interface LoginRequest {
  /** `registry.lan:5000`, `https://index.docker.io/v1/`; empty: docker.io. */
  readonly server: string
  readonly auth: RegistryAuth
  readonly config: RegistryConfig
  readonly limits?: Partial<TransportLimits>
}

/**
 * Shows the credentials to the registry.
 * @returns the token that stands for them from now on, where the registry gives one, else ''
 * @throws `invalid`, `unauthorized`, `unavailable` with Docker's texts
 */
export async function login(request: LoginRequest, signal: AbortSignal): Promise<string> {
  await using transport = new Transport({ limits: request.limits, proxies: request.config.proxies })
  const endpoints = await originsOf(registryOf(request.server), request.config)
  using limit = deadline(transport.limits.documentTimeoutMs, `logging in to ${registryOf(request.server)}`, signal)
  for (const [index, endpoint] of endpoints.entries()) {
    try {
      return await loginAt(transport, endpoint, credentialsOf(request.auth), limit.signal)
    } catch (error) {
      if (index === endpoints.length - 1 || !isUnreachable(error)) throw error
    }
  }
  return ''
}

/** A registry's name as references have it. */
function registryOf(server: string): string {
  const host = hostOfServer(server)
  return host === '' || host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host
}

async function loginAt(
  transport: Transport,
  endpoint: Endpoint,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<string> {
  const url = `${endpoint.base}/v2/`
  const ask = (authorization?: string) =>
    transport.send({
      method: 'GET',
      url,
      headers: authorization === undefined ? {} : { authorization },
      verifyTls: endpoint.verifyTls,
      ...(endpoint.isGuess && { attempts: 1 }),
      signal,
    })
  const first = await ask()
  if (first.status === 200) {
    await first.discard()
    return ''
  }
  const challenges = parseChallenges(first.header('www-authenticate') ?? '')
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
  if (bearer) {
    await first.discard()
    const { token, refreshToken } = await fetchToken(transport, {
      challenge: bearer,
      credentials,
      scope: undefined,
      offline: true,
      endpoint,
      signal,
    })
    await expectOk(await ask(`Bearer ${token}`))
    return refreshToken ?? ''
  }
  if (challenges.some(({ scheme }) => scheme === 'basic')) {
    await first.discard()
    if (credentials.kind !== 'password') throw unauthorized(`Get "${url}": no basic auth credentials`)
    await expectOk(await ask(basicAuthorization(credentials)))
    return ''
  }
  await expectOk(first)
  return ''
}

async function expectOk(response: RegistryResponse): Promise<void> {
  if (response.status === 200) return await response.discard()
  await response.discard()
  const status = `${response.status} ${response.statusText}`.trim()
  throw new BerthError('unavailable', `login attempt to ${withoutSecrets(response.url)} failed with status: ${status}`)
}
