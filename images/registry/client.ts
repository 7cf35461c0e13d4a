import { deadline } from '#base/abort.ts'
import type { Digest } from '#base/digest.ts'
import { dataLoss, invalid, isKind } from '#base/errors.ts'
import { readAll } from '#base/streams.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { imageConfigSizeLimit } from '#oci/image-config.ts'
import { JsonReader } from '#oci/json.ts'
import { familiarName, isTag, type Reference } from '#oci/reference.ts'
import type { RegistryAuth } from '../transfer/progress.ts'
import { credentialsOf } from './credentials.ts'
import { EndpointSession } from './endpoint-session.ts'
import { endpointsOf } from './endpoints.ts'
import { type BlobFetch, fetchBlob } from './fetch-blob.ts'
import { readBlob } from './read-blob.ts'
import type { RegistryConfig } from './registry-config.ts'
import { type ResolvedManifest, readManifest, resolveManifest } from './resolve.ts'
import { readSpecError, toPullError } from './spec-error.ts'
import { isAuthenticationError } from './token.ts'
import { type RegistryResponse, Transport, type TransportLimits } from './transport.ts'

export interface RepositoryRequest {
  /** Names the repository; its tag or digest is in no way fixed by opening. */
  readonly reference: Reference
  readonly config: RegistryConfig
  readonly auth: RegistryAuth | undefined
  readonly limits?: Partial<TransportLimits>
  /** Told when a mirror is given up for another reason than that it lacks something. */
  readonly onMirrorFailure?: ((mirror: string, error: unknown) => void) | undefined
}

const maxTagPages = 1000
const maxTags = 100_000
const maxTagPageBytes = 8 << 20

/** Opens the read side of a repository; nothing is asked yet. Dispose it to close its connections. */
export async function openRepository(request: RepositoryRequest): Promise<Repository> {
  const endpoints = await endpointsOf(request.reference, request.config)
  const transport = new Transport({ limits: request.limits, proxies: request.config.proxies })
  const credentials = credentialsOf(request.auth)
  return new Repository(
    request,
    transport,
    endpoints.map((endpoint) => new EndpointSession(transport, endpoint, request.reference, credentials)),
  )
}

/** One repository. An endpoint that cannot be used is not asked again; a mirror that lacks something is, for the next thing. */
export class Repository implements AsyncDisposable {
  readonly #reference: Reference
  readonly #onMirrorFailure: RepositoryRequest['onMirrorFailure']
  readonly #transport: Transport
  #sessions: readonly EndpointSession[]
  /** Mirrors that some bytes of a blob have come from. */
  readonly #mirrorsOf = new Map<Digest, Set<EndpointSession>>()

  constructor(request: RepositoryRequest, transport: Transport, sessions: readonly EndpointSession[]) {
    this.#reference = request.reference
    this.#onMirrorFailure = request.onMirrorFailure
    this.#transport = transport
    this.#sessions = sessions
  }

  /** What the tag or digest of `reference` points at.   @throws `not-found`, `unauthorized`, `unavailable` with Docker's texts */
  async resolve(reference: Reference, signal: AbortSignal): Promise<ResolvedManifest> {
    return await this.#firstAnswer((session) => resolveManifest(session, reference, signal))
  }

  /** The verified bytes of a manifest or index. */
  async readManifest(descriptor: Descriptor, signal: AbortSignal): Promise<Buffer> {
    return await this.#firstAnswer((session) => readManifest(session, this.#reference, descriptor, signal))
  }

  /** Writes a blob into an ingest; the caller commits it. */
  async fetchBlob(fetch: Omit<BlobFetch, 'reference'>): Promise<void> {
    const { digest } = fetch.descriptor
    await this.#firstAnswer(async (session) => {
      try {
        await fetchBlob(session, { ...fetch, reference: this.#reference })
      } finally {
        if (!isOrigin(session) && fetch.ingest.size > 0) {
          this.#mirrorsOf.set(digest, (this.#mirrorsOf.get(digest) ?? new Set()).add(session))
        }
      }
    })
  }

  /** The blob's bytes were wrong: mirrors that any of them came from are not asked again.   @returns whether there were any */
  distrust({ digest }: Descriptor): boolean {
    const mirrors = this.#mirrorsOf.get(digest) ?? new Set()
    this.#mirrorsOf.delete(digest)
    for (const session of mirrors) this.#giveUp(session, dataLoss(`${digest} has other content there`))
    return mirrors.size > 0
  }

  /** A small blob, such as a config, verified. */
  async readBlob(descriptor: Descriptor, signal: AbortSignal): Promise<Buffer> {
    const read = { reference: this.#reference, descriptor, limit: imageConfigSizeLimit, signal }
    return await this.#firstAnswer((session) => readBlob(session, read))
  }

  /** Every tag, in the registry's order. */
  async tags(signal: AbortSignal): Promise<readonly string[]> {
    return await this.#firstAnswer((session) => listTags(session, this.#reference, signal))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]()
  }

  async #firstAnswer<T>(ask: (session: EndpointSession) => Promise<T>): Promise<T> {
    let notFound: unknown
    const sessions = this.#sessions
    for (const session of sessions) {
      try {
        const answer = await ask(session)
        // It speaks TLS: nobody is asked without.
        if (session.endpoint.isGuess) this.#forget((other) => isOrigin(other) && other !== session)
        return answer
      } catch (error) {
        if (session === sessions.at(-1) || !allowsNext(error, session)) {
          // A mirror that knows the name to be missing tells more than a registry that cannot be reached.
          throw notFound !== undefined && isKind(error, 'unavailable') ? notFound : error
        }
        if (isKind(error, 'not-found')) notFound = error
        else this.#giveUp(session, error)
      }
    }
    throw invalid('no endpoint is known for this registry')
  }

  #giveUp(session: EndpointSession, error: unknown): void {
    const { base, mirrorOf } = session.endpoint
    if (mirrorOf) this.#onMirrorFailure?.(`${base}/${mirrorOf.prefix}`, error)
    this.#forget((other) => other === session)
  }

  #forget(isForgotten: (session: EndpointSession) => boolean): void {
    this.#sessions = this.#sessions.filter((session) => !isForgotten(session))
  }
}

function isOrigin({ endpoint }: EndpointSession): boolean {
  return endpoint.mirrorOf === undefined
}

/** After a mirror the next one is asked whatever was wrong; after TLS plain HTTP is tried only when there was no answer at all. */
function allowsNext(error: unknown, session: EndpointSession): boolean {
  if (isKind(error, 'cancelled') || isKind(error, 'no-space')) return false
  if (!isOrigin(session)) return true
  return !isAuthenticationError(error) && isKind(error, 'unavailable') && error.code === 'registry-unreachable'
}

async function listTags(session: EndpointSession, reference: Reference, outer: AbortSignal): Promise<string[]> {
  using limit = deadline(session.transport.limits.documentTimeoutMs, 'listing the tags', outer)
  const { signal } = limit
  const tags: string[] = []
  let path: string | undefined = 'tags/list'
  for (let page = 0; path !== undefined && page < maxTagPages; page += 1) {
    const response = await session.send({ method: 'GET', path, signal })
    if (response.status !== 200) throw toPullError(await readSpecError(response), response, reference)
    tags.push(...(await readTagPage(response, reference)))
    if (tags.length > maxTags) throw invalid(`${familiarName(reference)} has more than ${maxTags} tags; name one`)
    // Only the query is taken over: the next page is on the same endpoint.
    const next = /<([^<>]+)>\s*;\s*rel="?next"?/.exec(response.header('link') ?? '')?.[1]
    path = next === undefined ? undefined : `tags/list${URL.parse(next, session.endpoint.base)?.search ?? ''}`
  }
  return tags
}

/** @throws `invalid` for a tag that can be none: they become parts of paths, and of names in the database */
async function readTagPage({ body }: RegistryResponse, reference: Reference): Promise<readonly string[]> {
  const bytes = await readAll(body, maxTagPageBytes, 'the list of tags')
  const list = JsonReader.parse(bytes.toString('utf8'), 'the list of tags').field('tags')
  const tags = list.optional((found) => found.stringArray(maxTags)) ?? []
  const bad = tags.find((tag) => !isTag(tag))
  if (bad === undefined) return tags
  throw invalid(`${familiarName(reference)} lists a tag that can be none: ${JSON.stringify(bad.slice(0, 100))}`)
}
