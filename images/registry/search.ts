import { deadline } from '#base/abort.ts'
import { BerthError, internal, invalid, isKind, unavailable } from '#base/errors.ts'
import { readAll } from '#base/streams.ts'
import { JsonReader } from '#oci/json.ts'
import type { RegistryAuth } from '../transfer/progress.ts'
import { basicAuthorization, credentialsOf } from './credentials.ts'
import { type Endpoint, originsOf } from './endpoints.ts'
import type { RegistryConfig } from './registry-config.ts'
import { Transport, type TransportLimits } from './transport.ts'
import { inPlainWords, withoutSecrets } from './transport-error.ts'

export interface SearchRequest {
  /** `busybox`; behind a registry's host: `registry.lan:5000/app`. */
  readonly term: string
  /** 1 to 100. */
  readonly limit: number
  readonly auth: RegistryAuth | undefined
  readonly config: RegistryConfig
  readonly limits?: Partial<TransportLimits>
}

export interface SearchResult {
  readonly name: string
  readonly description: string
  readonly stars: number
  readonly isOfficial: boolean
}

const hub = 'index.docker.io'
const maxAnswerBytes = 4 << 20

/** Asks the index of a registry, best match first.   @throws `invalid`, `internal` where there is no search, `unavailable` */
export async function searchRegistry(request: SearchRequest, signal: AbortSignal): Promise<readonly SearchResult[]> {
  const { host, text } = splitTerm(request.term)
  await using transport = new Transport({ limits: request.limits, proxies: request.config.proxies })
  using limit = deadline(transport.limits.documentTimeoutMs, `searching ${host}`, signal)
  const endpoints =
    host === hub ? [{ base: `https://${hub}`, verifyTls: true, isGuess: false }] : await originsOf(host, request.config)
  for (const endpoint of endpoints) {
    try {
      return await searchAt(transport, endpoint, { ...request, term: text }, limit.signal)
    } catch (error) {
      const hasNext = endpoint.isGuess && isKind(error, 'unavailable') && error.code === 'registry-unreachable'
      if (!hasNext) throw error
    }
  }
  throw unavailable(`${host} cannot be reached`)
}

function splitTerm(term: string): { host: string; text: string } {
  if (/^https?:\/\//.test(term)) {
    throw invalid(`invalid repository name: repository name (${term}) should not have a scheme`)
  }
  const slash = term.indexOf('/')
  const first = term.slice(0, Math.max(slash, 0))
  const isHost = /[.:]/.test(first) || first === 'localhost'
  const [host, text] = isHost ? [first, term.slice(slash + 1)] : [hub, term]
  if (isHost && first !== 'docker.io' && first !== hub) return { host, text }
  return { host: hub, text: text.replace(/^library\//, '') }
}

async function searchAt(
  transport: Transport,
  endpoint: Endpoint,
  { term, limit, auth }: SearchRequest,
  signal: AbortSignal,
): Promise<readonly SearchResult[]> {
  const url = new URL(`${endpoint.base}/v1/search`)
  url.searchParams.set('q', term)
  url.searchParams.set('n', String(limit))
  const credentials = credentialsOf(auth)
  // An index has no challenge that tells whether it wants them: never without TLS.
  const isShown = credentials.kind === 'password' && url.protocol === 'https:'
  const sent = transport.send({
    method: 'GET',
    url: url.href,
    headers: { accept: 'application/json', ...(isShown && { authorization: basicAuthorization(credentials) }) },
    verifyTls: endpoint.verifyTls,
    ...(endpoint.isGuess && { attempts: 1 }),
    signal,
  })
  const response = await sent.catch((error: unknown) => {
    throw withQuery(inPlainWords(error), url)
  })
  if (response.status !== 200) {
    await response.discard()
    const why = `${url.host} has no search that answers (GET /v1/search); few registries have one`
    throw internal(`Unexpected status code ${response.status}: ${why}`, { code: 'registry-without-search' })
  }
  return await readResults(response.body, url.host)
}

/** Docker's error tells what was searched for. */
function withQuery(error: unknown, { href }: URL): unknown {
  if (!(error instanceof BerthError)) return error
  return new BerthError(error.kind, error.message.replace(withoutSecrets(href), href), {
    ...(error.code !== undefined && { code: error.code }),
    cause: error,
  })
}

async function readResults(body: AsyncIterable<Uint8Array>, host: string): Promise<readonly SearchResult[]> {
  const bytes = await readAll(body, maxAnswerBytes, `the search of ${host}`)
  try {
    const results = JsonReader.parse(bytes.toString('utf8'), `the answer of ${host}`).field('results')
    return (results.optional((list) => list.array(1000)) ?? []).map(readResult)
  } catch (cause) {
    if (!(cause instanceof BerthError)) throw cause
    throw internal(`error decoding registry search results: ${cause.message}`, { cause })
  }
}

function readResult(result: JsonReader): SearchResult {
  return {
    name: result.field('name').optional((name) => name.string()) ?? '',
    description: result.field('description').optional((text) => text.string()) ?? '',
    stars: result.field('star_count').optional((count) => count.size()) ?? 0,
    isOfficial: result.field('is_official').optional((value) => value.boolean()) ?? false,
  }
}
