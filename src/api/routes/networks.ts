import { isKind } from '#base/errors.ts'
import type { Engine } from '#engine/engine.ts'
import { type Route, route } from '../call.ts'
import { parseFilters } from '../parse/filters.ts'
import { presentNetwork } from '../present/network.ts'
import { json } from '../reply.ts'

const list = route('GET /networks', ({ query }, engine) => {
  const networks = engine.networks.list(parseFilters(query.text('filters')))
  return json(networks.map((network) => presentNetwork(network, undefined)))
})

export const networkRoutes: readonly Route[] = [
  list,
  // Old clients ask with the slash.
  { ...list, template: '/networks/' },

  // Only the predefined ones are here, and those are never pruned.
  route('POST /networks/prune', ({ query }) => {
    parseFilters(query.text('filters')).allowOnly(['label', 'label!', 'until'])
    return json({ NetworksDeleted: null })
  }),

  route('GET /networks/{id}', ({ path }, engine) =>
    json(presentNetwork(engine.networks.inspect(path.id), (containerId) => nameOf(engine, containerId))),
  ),
]

/** The container may be gone by the time it is asked for; its id is then all there is. */
function nameOf(engine: Engine, containerId: string): string {
  try {
    return engine.containers.get(containerId).name
  } catch (error) {
    if (isKind(error, 'not-found')) return containerId
    throw error
  }
}
