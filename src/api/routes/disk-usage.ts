import { invalid, messageOf } from '#base/errors.ts'
import type { Filters } from '#base/filters.ts'
import { since } from '#contract/versions.ts'
import { type UsageKind, usageKinds } from '#engine/engine.ts'
import { type Route, route } from '../call.ts'
import { parseFilters } from '../parse/filters.ts'
import { presentDiskUsage } from '../present/disk-usage.ts'
import { json } from '../reply.ts'
import { imageFactsReader } from './image-facts.ts'

export const diskUsageRoutes: readonly Route[] = [
  route('GET /system/df', async ({ query, version }, engine) => {
    const usage = await engine.system.diskUsage(parseKinds(version < since.diskUsageKinds ? [] : query.texts('type')))
    return json(presentDiskUsage(usage, imageFactsReader(engine), version))
  }),

  // Nothing is built here yet, so the cache is empty.
  route('POST /build/prune', ({ query }) => {
    checkBuildCacheFilters(parseFilters(query.text('filters')))
    return json({ CachesDeleted: null, SpaceReclaimed: 0 })
  }),
]

const buildCacheFilters = 'until id parent type description inuse shared private'.split(' ')

/** @throws `invalid` in Docker's words */
function checkBuildCacheFilters(filters: Filters): void {
  try {
    filters.allowOnly(buildCacheFilters)
  } catch (cause) {
    throw invalid(`failed to prune build cache: ${messageOf(cause)}`, { cause })
  }
}

/** @throws `invalid` in Docker's words */
function parseKinds(words: readonly string[]): ReadonlySet<UsageKind> {
  if (words.length === 0) return new Set(usageKinds)
  return new Set(
    words.map((word) => {
      const kind = usageKinds.find((one) => one === word)
      if (!kind) throw invalid(`unknown object type: ${word}`)
      return kind
    }),
  )
}
