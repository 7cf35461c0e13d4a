import { invalid } from '#base/errors.ts'
import { since } from '#contract/versions.ts'
import type { Platform } from '#oci/platform.ts'
import { type Call, type Route, route } from '../call.ts'
import { parseFilters } from '../parse/filters.ts'
import { parsePlatformJson, parsePlatformSince } from '../parse/platform.ts'
import { parseTarget } from '../parse/reference.ts'
import { presentHistory, presentImage, presentImageSummary, presentRemoval } from '../present/image.ts'
import { empty, json } from '../reply.ts'

export const imageRoutes: readonly Route[] = [
  route('GET /images/json', async ({ query, version }, engine) => {
    const filters = parseFilters(query.text('filters'), { reference: query.text('filter') })
    const options = { version, withSharedSize: query.boolean('shared-size') }
    const images = engine.images.listWithSharing(filters, { all: query.boolean('all') })
    const asked = version >= since.listedManifests && query.boolean('manifests')
    const manifests = asked ? await engine.images.manifestsOf(images.map(({ image }) => image)) : []
    return json(images.map((image, at) => presentImageSummary(image, { ...options, manifests: manifests[at] })))
  }),

  route('GET /images/{name}/json', async ({ path, query, version }, engine) => {
    const asked = version >= since.inspectedManifests && query.boolean('manifests')
    const platform = parsePlatformSince(since.inspectPlatform, version, query.text('platform'))
    if (asked && platform) {
      throw invalid('conflicting options: manifests and platform options cannot both be set')
    }
    const image = engine.images.get(path.name, platform)
    const [manifests] = asked ? await engine.images.manifestsOf([image]) : []
    return json(presentImage(image, { version, manifests, graph: engine.images.graphOf(image) }))
  }),

  route('GET /images/{name}/history', ({ path, query, version }, engine) => {
    const platform = parsePlatformSince(since.historyPlatform, version, query.text('platform'))
    return json(engine.images.history(path.name, platform).map(presentHistory))
  }),

  route('POST /images/{name}/tag', async ({ path, query }, engine) => {
    await engine.images.tag(path.name, parseTarget(query.text('repo') ?? '', query.text('tag')))
    return empty(201)
  }),

  route('DELETE /images/{name}', async (call, engine) => {
    const { path, query } = call
    const options = { force: query.boolean('force'), noPrune: query.boolean('noprune') }
    const platform = removedPlatform(call)
    if (platform) engine.images.get(path.name, platform)
    const removed = await engine.images.remove(path.name, options)
    return json(removed.map(presentRemoval))
  }),

  route('POST /images/prune', async ({ query, signal }, engine) => {
    const { records, reclaimedBytes } = await engine.images.prune(parseFilters(query.text('filters')), signal)
    const deleted = records.map(presentRemoval)
    return json({ ImagesDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: reclaimedBytes })
  }),
]

function removedPlatform({ query, version }: Call<'DELETE /images/{name}'>): Platform | undefined {
  const texts = version < since.removalPlatforms ? [] : query.texts('platforms')
  const [platform, ...others] = texts.map(parsePlatformJson)
  if (others.length > 0) throw invalid('multiple platforms are not supported')
  return platform
}
