import { unauthorized } from '#base/errors.ts'
import type { Reference } from '#oci/reference.ts'
import { parseChallenges } from './challenge.ts'
import { basicAuthorization, type Credentials } from './credentials.ts'
import type { Endpoint } from './endpoints.ts'
import { fetchToken } from './token.ts'
import type { RegistryRequest, RegistryResponse, Transport } from './transport.ts'
import { withoutSecrets } from './transport-error.ts'

export interface SessionRequest {
  readonly method: 'GET' | 'HEAD'
  /** Below `/v2/<repository>/`: `manifests/latest`. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** One repository at one endpoint: answers challenges and remembers the authorization that worked. */
export class EndpointSession {
  readonly endpoint: Endpoint
  readonly transport: Transport
  readonly #repository: string
  readonly #credentials: Credentials
  #authorization: Promise<string> | undefined
  #hasAnswered = false

  constructor(transport: Transport, endpoint: Endpoint, { path }: Reference, credentials: Credentials) {
    this.transport = transport
    this.endpoint = endpoint
    this.#repository = path
    this.#credentials = endpoint.isMirror ? { kind: 'none' } : credentials
    if (this.#credentials.kind === 'bearer') this.#authorization = Promise.resolve(`Bearer ${this.#credentials.token}`)
  }

  /** Resolves with any answer; a 401 only after the challenge was met once in vain.   @throws `unauthorized`, and as the transport does */
  async send({ method, path, headers, signal }: SessionRequest): Promise<RegistryResponse> {
    const request: RegistryRequest = {
      method,
      url: `${this.endpoint.base}/v2/${this.#repository}/${path}`,
      headers: headers ?? {},
      verifyTls: this.endpoint.verifyTls,
      // Whether anybody speaks TLS there is not worth several attempts.
      ...(this.endpoint.isGuess && !this.#hasAnswered && { attempts: 1 }),
      signal,
    }
    const used = this.#authorization
    const response = await this.transport.send(await this.#authorized(request))
    this.#hasAnswered = true
    if (response.status !== 401) return response
    const header = response.header('www-authenticate')
    if (header === undefined) return response
    // Several blobs may meet the same challenge at once: one of them fetches the token.
    if (this.#authorization === used) this.#authorization = this.#answer(header, request)
    const renewed = this.#authorization
    await response.discard()
    try {
      await renewed
    } catch (error) {
      if (this.#authorization === renewed) this.#authorization = used
      throw error
    }
    return await this.transport.send(await this.#authorized(request))
  }

  async #authorized(request: RegistryRequest): Promise<RegistryRequest> {
    const authorization = await this.#authorization
    return authorization === undefined ? request : { ...request, headers: { ...request.headers, authorization } }
  }

  async #answer(header: string, request: RegistryRequest): Promise<string> {
    const challenges = parseChallenges(header)
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
    if (bearer) {
      const { token } = await fetchToken(this.transport, {
        challenge: bearer,
        credentials: this.#credentials,
        scope: `repository:${this.#repository}:pull`,
        endpoint: this.endpoint,
        signal: request.signal,
      })
      return `Bearer ${token}`
    }
    if (challenges.some(({ scheme }) => scheme === 'basic')) {
      if (this.#credentials.kind === 'password') return basicAuthorization(this.#credentials)
      const verb = request.method === 'HEAD' ? 'Head' : 'Get'
      throw unauthorized(`${verb} "${withoutSecrets(request.url)}": no basic auth credentials`, {
        code: 'registry-unauthorized',
      })
    }
    const schemes = challenges.map(({ scheme }) => scheme).join(', ')
    throw unauthorized(
      `${new URL(this.endpoint.base).host} asks for authentication by '${schemes}', which is not supported`,
    )
  }
}
