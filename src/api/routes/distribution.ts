import { internal, invalid } from '#base/errors.ts'
import { parseReference } from '#oci/reference.ts'
import { type Route, route } from '../call.ts'
import { parseFilters } from '../parse/filters.ts'
import { parseInteger } from '../parse/query.ts'
import { parseRegistryAuth } from '../parse/registry-auth.ts'
import { presentRemoteImage, presentSearchResult } from '../present/registry.ts'
import { refusedByRegistry } from '../refused-by-registry.ts'
import { json } from '../reply.ts'

const defaultLimit = 25
const maxLimit = 100

/** What registries are asked without anything being pulled. */
export const distributionRoutes: readonly Route[] = [
  route('GET /distribution/{name}/json', async ({ path, headers, signal }, engine) => {
    if (/^(sha256:)?[0-9a-f]{64}$/.test(path.name)) throw internal('no manifest found for full image ID')
    const reference = parseReference(path.name)
    const auth = parseRegistryAuth(headers['x-registry-auth'])
    return json(presentRemoteImage(await engine.images.inspectRemote(reference, auth, signal).catch(refusedByRegistry)))
  }),

  route('GET /images/search', async ({ query, headers, signal }, engine) => {
    const request = {
      term: query.text('term') ?? '',
      limit: parseLimit(query.text('limit')),
      filters: parseFilters(query.text('filters')),
      auth: parseRegistryAuth(headers['x-registry-auth']),
    }
    const found = await engine.images.search(request, signal).catch(refusedByRegistry)
    return json(found.map(presentSearchResult))
  }),
]

function parseLimit(text: string | undefined): number {
  if (text === undefined || text === '0') return defaultLimit
  const limit = asLimit(text)
  if (limit < 1 || limit > maxLimit) throw invalid(`limit ${limit} is outside the range of [1, ${maxLimit}]`)
  return limit
}

function asLimit(text: string): number {
  try {
    return parseInteger(text)
  } catch (cause) {
    throw invalid(`invalid limit specified: ${cause instanceof Error ? cause.message : ''}`, { cause })
  }
}
