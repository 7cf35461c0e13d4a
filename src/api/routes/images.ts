import { type Route, route } from '../call.ts'
import { parseFilters } from '../parse/filters.ts'
import { parseTarget } from '../parse/reference.ts'
import { presentHistory, presentImage, presentImageSummary, presentRemoval } from '../present/image.ts'
import { empty, json } from '../reply.ts'

export const imageRoutes: readonly Route[] = [
  route('GET /images/json', ({ query, version }, engine) => {
    const filters = parseFilters(query.text('filters'), { reference: query.text('filter') })
    const options = { version, withSharedSize: query.boolean('shared-size') }
    return json(engine.images.listWithSharing(filters).map((image) => presentImageSummary(image, options)))
  }),

  route('GET /images/{name}/json', ({ path, version }, engine) =>
    json(presentImage(engine.images.get(path.name), version)),
  ),

  route('GET /images/{name}/history', ({ path }, engine) => json(engine.images.history(path.name).map(presentHistory))),

  route('POST /images/{name}/tag', async ({ path, query }, engine) => {
    await engine.images.tag(path.name, parseTarget(query.text('repo') ?? '', query.text('tag')))
    return empty(201)
  }),

  route('DELETE /images/{name}', async ({ path, query }, engine) => {
    const options = { force: query.boolean('force'), noPrune: query.boolean('noprune') }
    const removed = await engine.images.remove(path.name, options)
    return json(removed.map(presentRemoval))
  }),

  route('POST /images/prune', async ({ query, signal }, engine) => {
    const { records, reclaimedBytes } = await engine.images.prune(parseFilters(query.text('filters')), signal)
    const deleted = records.map(presentRemoval)
    return json({ ImagesDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: reclaimedBytes })
  }),
]
