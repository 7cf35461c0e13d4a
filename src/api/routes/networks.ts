import { invalid, isKind } from '#base/errors.ts'
import {
  decodeNetworkConnectRequest,
  decodeNetworkCreateRequest,
  decodeNetworkDisconnectRequest,
} from '#contract/validate.gen.ts'
import type { Engine } from '#engine/engine.ts'
import type { AttachedContainers } from '#network/registry.ts'
import { type Route, route } from '../call.ts'
import { parseFilters } from '../parse/filters.ts'
import { parseNetworkCreate } from '../parse/network-create.ts'
import { parseEndpoint } from '../parse/networking-config.ts'
import { presentNetwork } from '../present/network.ts'
import { created, empty, json } from '../reply.ts'

const list = route('GET /networks', ({ query }, engine) => {
  const networks = engine.networks.list(parseFilters(query.text('filters')))
  return json(networks.map((network) => presentNetwork(network, undefined)))
})

export const networkRoutes: readonly Route[] = [
  list,
  // Old clients ask with the slash.
  { ...list, template: '/networks/' },

  route('POST /networks/create', async ({ body }, engine) => {
    const request = (await body(decodeNetworkCreateRequest)) ?? refuseEmpty()
    const { id } = await engine.networks.create(parseNetworkCreate(request))
    return created({ Id: id, Warning: '' })
  }),

  route('POST /networks/prune', async ({ query }, engine) => {
    const names = await engine.networks.prune(parseFilters(query.text('filters')), attachedTo(engine))
    return json({ NetworksDeleted: names.length === 0 ? null : names })
  }),

  route('GET /networks/{id}', ({ path }, engine) =>
    json(presentNetwork(engine.networks.inspect(path.id), (containerId) => nameOf(engine, containerId))),
  ),

  route('DELETE /networks/{id}', async ({ path }, engine) => {
    await engine.networks.remove(path.id, attachedTo(engine))
    return empty(204)
  }),

  route('POST /networks/{id}/connect', async ({ path, body }, engine) => {
    const { Container = '', EndpointConfig = {} } = (await body(decodeNetworkConnectRequest)) ?? refuseEmpty()
    // Which network it is comes first in the answer when neither is there.
    engine.networks.inspect(path.id)
    await engine.containers.connect(Container, path.id, parseEndpoint(path.id, EndpointConfig))
    return empty(200)
  }),

  route('POST /networks/{id}/disconnect', async ({ path, body }, engine) => {
    const { Container = '' } = (await body(decodeNetworkDisconnectRequest)) ?? refuseEmpty()
    await engine.containers.disconnect(Container, path.id)
    return empty(200)
  }),
]

function refuseEmpty(): never {
  throw invalid('invalid JSON: got EOF while reading request body')
}

function attachedTo(engine: Engine): AttachedContainers {
  return {
    nameOf: (containerId) => nameOf(engine, containerId),
    isAlive: (containerId) => {
      try {
        const { status } = engine.containers.get(containerId).state
        return status !== 'exited' && status !== 'dead'
      } catch (error) {
        if (isKind(error, 'not-found')) return false
        throw error
      }
    },
  }
}

/** The container may be gone by the time it is asked for; its id is then all there is. */
function nameOf(engine: Engine, containerId: string): string {
  try {
    return engine.containers.get(containerId).name
  } catch (error) {
    if (isKind(error, 'not-found')) return containerId
    throw error
  }
}
