import { unauthorized } from '#base/errors.ts'
import type { Reference } from '#oci/reference.ts'
import { parseChallenges } from './challenge.ts'
import { basicAuthorization, type Credentials } from './credentials.ts'
import type { Endpoint } from './endpoints.ts'
import { fetchToken } from './token.ts'
import { isBusy, type Method, type RegistryRequest, type RegistryResponse, type Transport } from './transport.ts'
import { withoutSecrets } from './transport-error.ts'

export interface SessionRequest {
  readonly method: Method
  /** Below `/v2/<repository>/`: `manifests/latest`. A URL is where the registry itself has sent us; on another host it is shown no credentials. */
  readonly path: string | URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: NonNullable<RegistryRequest['body']>
  readonly attempts?: number
  readonly headersTimeoutMs?: number
  /** Another repository that must be readable as well. */
  readonly from?: string
  readonly signal: AbortSignal
}

/** What a token is asked for. */
export type Access = 'pull' | 'pull,push'

/** One repository at one endpoint: answers challenges and remembers the authorization that worked. */
export class EndpointSession {
  readonly endpoint: Endpoint
  readonly transport: Transport
  readonly #repository: string
  readonly #credentials: Credentials
  readonly #access: Access
  /** By scope: a token for one is no answer to the challenge of another. */
  readonly #authorizations = new Map<string, Promise<string>>()
  /** A token that came with the request. */
  readonly #given: Promise<string> | undefined
  #hasAnswered = false

  constructor(
    transport: Transport,
    endpoint: Endpoint,
    { path }: Reference,
    credentials: Credentials,
    access: Access = 'pull',
  ) {
    this.transport = transport
    this.endpoint = endpoint
    this.#repository = `${endpoint.mirrorOf?.prefix ?? ''}${path}`
    this.#credentials = endpoint.mirrorOf ? { kind: 'none' } : credentials
    this.#access = access
    this.#given = this.#credentials.kind === 'bearer' ? Promise.resolve(`Bearer ${this.#credentials.token}`) : undefined
  }

  /** Whether it has ever been there and not busy. */
  get hasAnswered(): boolean {
    return this.#hasAnswered
  }

  /** Whether anybody is there; what it answers does not matter.   @throws as the transport does */
  async ping(signal: AbortSignal): Promise<void> {
    const response = await this.transport.send({
      method: 'GET',
      url: `${this.endpoint.base}/v2/`,
      headers: {},
      verifyTls: this.endpoint.verifyTls,
      ...(this.endpoint.isGuess && { attempts: 1 }),
      signal,
    })
    this.#hasAnswered = true
    await response.discard()
  }

  /** Resolves with any answer; a 401 only after the challenge was met once in vain.   @throws `unauthorized`, and as the transport does */
  async send(asked: SessionRequest): Promise<RegistryResponse> {
    const request = this.#toRequest(asked)
    if (new URL(request.url).origin !== new URL(this.endpoint.base).origin) return await this.transport.send(request)
    const scope = this.#scopeOf(asked)
    const used = this.#authorizationFor(scope)
    const response = await this.transport.send(await authorized(request, used))
    if (!isBusy(response.status)) this.#hasAnswered = true
    if (response.status !== 401) return response
    const header = response.header('www-authenticate')
    if (header === undefined) return response
    // Several blobs may meet the same challenge at once: one of them fetches the token.
    if (this.#authorizationFor(scope) === used) this.#authorizations.set(scope, this.#answer(header, request, scope))
    const renewed = this.#authorizationFor(scope)
    await response.discard()
    try {
      await renewed
    } catch (error) {
      if (this.#authorizationFor(scope) === renewed) this.#restore(scope, used)
      throw error
    }
    return await this.transport.send(await authorized(request, renewed))
  }

  #toRequest({ path, from: _, ...request }: SessionRequest): RegistryRequest {
    const { isGuess, mirrorOf, verifyTls } = this.endpoint
    return {
      // Whether anybody is there, or speaks TLS, is not worth several attempts where others can be asked.
      ...((isGuess || mirrorOf) && !this.#hasAnswered && { attempts: 1 }),
      ...request,
      url: typeof path === 'string' ? this.#urlOf(path) : path.href,
      headers: request.headers ?? {},
      verifyTls,
    }
  }

  /** A mirror of many registries learns by `ns` which one is meant, as containerd tells it. */
  #urlOf(path: string): string {
    const { base, mirrorOf } = this.endpoint
    const url = new URL(`${base}/v2/${this.#repository}/${path}`)
    if (mirrorOf) url.searchParams.set('ns', mirrorOf.domain)
    return url.href
  }

  #scopeOf({ from }: SessionRequest): string {
    const scope = `repository:${this.#repository}:${this.#access}`
    return from === undefined ? scope : `${scope} repository:${from}:pull`
  }

  #authorizationFor(scope: string): Promise<string> | undefined {
    return this.#authorizations.get(scope) ?? this.#given
  }

  #restore(scope: string, authorization: Promise<string> | undefined): void {
    if (authorization) this.#authorizations.set(scope, authorization)
    else this.#authorizations.delete(scope)
  }

  async #answer(header: string, request: RegistryRequest, scope: string): Promise<string> {
    const challenges = parseChallenges(header)
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
    if (bearer) {
      const { token } = await fetchToken(this.transport, {
        // A registry asks for what this one request needs; a push needs more than its first one.
        challenge: this.#access === 'pull' ? bearer : { ...bearer, parameters: { ...bearer.parameters, scope } },
        credentials: this.#credentials,
        scope,
        endpoint: this.endpoint,
        signal: request.signal,
      })
      return `Bearer ${token}`
    }
    if (challenges.some(({ scheme }) => scheme === 'basic')) {
      if (this.#credentials.kind === 'password') return basicAuthorization(this.#credentials)
      const verb = request.method === 'HEAD' ? 'Head' : 'Get'
      const prefix = this.#access === 'pull' ? `${verb} "${withoutSecrets(request.url)}": ` : ''
      throw unauthorized(`${prefix}no basic auth credentials`, { code: 'registry-unauthorized' })
    }
    const schemes = challenges.map(({ scheme }) => scheme).join(', ')
    throw unauthorized(
      `${new URL(this.endpoint.base).host} asks for authentication by '${schemes}', which is not supported`,
    )
  }
}

async function authorized(request: RegistryRequest, used: Promise<string> | undefined): Promise<RegistryRequest> {
  const authorization = await used
  return authorization === undefined ? request : { ...request, headers: { ...request.headers, authorization } }
}
