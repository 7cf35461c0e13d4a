import type { Clock } from '#base/clock.ts'
import { forbidden, invalid, isKind } from '#base/errors.ts'
import type { Filters } from '#base/filters.ts'
import { newId, shortId } from '#base/ids.ts'
import { addressesFor, checkNetworkRequest, type NetworkRequest } from './create-network.ts'
import type { HostLinks, NetworkDriver } from './drivers/driver.ts'
import type { EndpointTable } from './endpoint-table.ts'
import type { Pool } from './ipam/pool.ts'
import { type DriverName, isPredefined, type Network, type NetworkView, networkView } from './network.ts'
import { type Publish, tell } from './network-events.ts'
import type { NetworkStore } from './network-store.ts'
import type { NetworkTable } from './network-table.ts'

/** What is to be known of the containers that are attached. */
export interface AttachedContainers {
  nameOf(containerId: string): string
  /** Also while it starts. */
  isAlive(containerId: string): boolean
}

const releaseMs = 5000

export interface RegistryParts {
  readonly store: NetworkStore
  readonly networks: NetworkTable
  readonly endpoints: EndpointTable
  readonly drivers: Readonly<Record<DriverName, NetworkDriver>>
  readonly links: HostLinks
  readonly pools: readonly Pool[]
  readonly clock: Clock
  readonly publish: Publish
}

/** The networks themselves: one method a verb of `docker network`. */
export class NetworkRegistry {
  readonly #parts: RegistryParts

  constructor(parts: RegistryParts) {
    this.#parts = parts
  }

  /** @throws `invalid`, `forbidden`, `already-exists`, `not-found`, `not-implemented` in Docker's words */
  async create(request: NetworkRequest): Promise<{ id: string }> {
    const all = this.#parts.networks.all()
    checkNetworkRequest(request, all)
    const { links, pools, clock } = this.#parts
    const [subnet] = request.subnets
    const network: Network = {
      id: newId(),
      name: request.name,
      driver: 'bridge',
      createdAt: clock.nowNanos(),
      ipam: addressesFor(request, all, { links, pools }),
      settings: {
        labels: request.labels,
        options: request.options,
        internal: request.internal,
        attachable: request.attachable,
        subnet,
        ipamOptions: request.ipamOptions,
      },
    }
    this.#parts.endpoints.openNetwork(network)
    this.#parts.store.transaction(() => {
      this.#parts.store.putNetwork(network)
      tell(this.#parts.publish, 'create', network)
    })
    this.#parts.networks.add(network)
    return { id: network.id }
  }

  /** @throws `forbidden` when it is predefined or in use */
  async remove(name: string, containers: AttachedContainers): Promise<void> {
    const network = this.#parts.networks.get(name)
    if (isPredefined(network.name)) {
      throw forbidden(`${network.name} is a pre-defined network and cannot be removed`)
    }
    await this.#letGo(network, containers)
    const active = this.#parts.endpoints.ofNetwork(network.id)
    if (active.length > 0) {
      const list = active.map(
        (one) => `name:${JSON.stringify(containers.nameOf(one.containerId))} id:"${shortId(one.id)}"`,
      )
      throw forbidden(`error while removing network: network ${network.name} has active endpoints (${list.join(', ')})`)
    }
    // Nobody finds it from here on: what follows waits for the kernel.
    this.#parts.networks.delete(network.id)
    try {
      await this.#parts.drivers[network.driver].remove(network)
      this.#parts.store.transaction(() => {
        this.#parts.store.deleteNetwork(network.id)
        tell(this.#parts.publish, 'destroy', network)
      })
      this.#parts.endpoints.closeNetwork(network.id)
    } catch (error) {
      this.#parts.networks.add(network)
      throw error
    }
  }

  /** Removes networks without running containers.   @returns their names   @throws `invalid` for a bad filter */
  async prune(filters: Filters, containers: AttachedContainers): Promise<string[]> {
    filters.allowOnly(['label', 'label!', 'until'])
    const until = filters.until(Date.now()) ?? Number.POSITIVE_INFINITY
    const unused = this.#parts.networks.all().filter((network) => {
      const { labels } = network.settings
      if (isPredefined(network.name) || this.#parts.endpoints.ofNetwork(network.id).length > 0) return false
      if (Number(network.createdAt / 1_000_000n) > until) return false
      return filters.matchesLabels(labels) && filters.lacksLabels(labels)
    })
    const names: string[] = []
    for (const { id, name } of unused) {
      try {
        await this.remove(id, containers)
        names.push(name)
      } catch (error) {
        // A container has come, or another prune was faster.
        if (!isKind(error, 'forbidden') && !isKind(error, 'not-found')) throw error
      }
    }
    this.#parts.publish({ type: 'network', action: 'prune', actor: { id: '', attributes: { reclaimed: '0' } } })
    return names
  }

  /** @throws `invalid` for an unknown filter or value */
  list(filters: Filters): NetworkView[] {
    filters.allowOnly(['driver', 'id', 'name', 'label', 'scope', 'type', 'dangling'])
    const type = filters.get('type').find((value) => value !== 'builtin' && value !== 'custom')
    if (type !== undefined) throw invalid(`invalid filter: 'type'='${type}'`)
    const dangling = filters.boolean('dangling')
    return this.#parts.networks
      .all()
      .filter(({ id, name, driver, settings }) => {
        const builtin = isPredefined(name)
        return (
          filters.matchesExactly('driver', driver) &&
          (!filters.has('id') || filters.get('id').some((prefix) => id.startsWith(prefix))) &&
          filters.matches('name', name) &&
          filters.matchesLabels(settings.labels) &&
          filters.matchesExactly('scope', 'local') &&
          filters.matchesExactly('type', builtin ? 'builtin' : 'custom') &&
          (dangling === undefined || dangling === (!builtin && this.#parts.endpoints.ofNetwork(id).length === 0))
        )
      })
      .map((network) => this.#view(network))
  }

  /** By name, id or unambiguous id prefix.   @throws `not-found` */
  inspect(name: string): NetworkView {
    return this.#view(this.#parts.networks.get(name))
  }

  /** Who stops a container and removes its network does not know that what it had is still being released. */
  async #letGo({ id }: Network, { isAlive }: AttachedContainers): Promise<void> {
    const ended = this.#parts.endpoints.ofNetwork(id).filter(({ containerId }) => !isAlive(containerId))
    if (ended.length === 0) return
    const left = Promise.all(ended.map(({ containerId }) => this.#parts.endpoints.left(containerId)))
    const over = new AbortController()
    const patience = this.#parts.clock.sleep(releaseMs, { signal: over.signal }).catch(() => undefined)
    await Promise.race([left, patience])
    over.abort()
  }

  #view(network: Network): NetworkView {
    const options = this.#parts.drivers[network.driver].optionsOf(network)
    return networkView(network, this.#parts.endpoints.ofNetwork(network.id), options)
  }
}
