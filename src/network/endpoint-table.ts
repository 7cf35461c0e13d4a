import { forbidden } from '#base/errors.ts'
import type { Endpoint } from './endpoint.ts'
import { AddressAllocator } from './ipam/allocator.ts'
import { rangeOf } from './ipam/requested.ts'
import { parseAddress } from './ipam/subnet.ts'
import type { Network } from './network.ts'
import type { NetworkStore } from './network-store.ts'

/** Endpoints and the addresses that they hold. The rows are the truth; what is in memory follows them. */
export class EndpointTable {
  readonly #store: NetworkStore
  readonly #byContainer = new Map<string, readonly Endpoint[]>()
  readonly #allocators = new Map<string, AddressAllocator>()
  readonly #leaving = new Map<string, PromiseWithResolvers<void>>()

  constructor(store: NetworkStore, networks: readonly Network[]) {
    this.#store = store
    for (const network of networks) this.openNetwork(network)
    for (const endpoint of store.endpoints()) {
      this.#remember(endpoint)
      if (endpoint.address !== undefined) this.#allocators.get(endpoint.networkId)?.reserve(endpoint.address)
    }
  }

  /** Makes the addresses of a network available. */
  openNetwork({ id, ipam, settings }: Network): void {
    if (!ipam) return
    const range = settings.subnet && rangeOf(settings.subnet)
    const allocator = new AddressAllocator(ipam.subnet, range ? { range } : {})
    allocator.reserve(ipam.gateway)
    for (const reserved of new Set(Object.values(settings.subnet?.reserved ?? {}).map(parseAddress))) {
      if (reserved !== ipam.gateway) allocator.reserve(reserved)
    }
    this.#allocators.set(id, allocator)
  }

  closeNetwork(id: string): void {
    this.#allocators.delete(id)
  }

  containers(): string[] {
    return [...this.#byContainer.keys()]
  }

  ofContainer(containerId: string): readonly Endpoint[] {
    return this.#byContainer.get(containerId) ?? []
  }

  ofNetwork(networkId: string): Endpoint[] {
    return this.all().filter((endpoint) => endpoint.networkId === networkId)
  }

  all(): Endpoint[] {
    return [...this.#byContainer.values()].flat()
  }

  /**
   * Takes an address, this one or any, and writes the row; `tell` is called in its transaction.
   * @throws `forbidden` for an address that is taken, `unavailable` where there is none left
   */
  add(endpoint: Endpoint, tell: () => void): Endpoint {
    const allocator = this.#allocators.get(endpoint.networkId)
    if (this.ofContainer(endpoint.containerId).some(({ networkId }) => networkId === endpoint.networkId)) {
      throw forbidden('the container is on that network already')
    }
    const { address: wanted } = endpoint
    if (wanted !== undefined) allocator?.reserve(wanted)
    const address = wanted ?? allocator?.allocate()
    const added = { ...endpoint, address }
    try {
      this.#store.transaction(() => {
        this.#store.putEndpoint(added)
        tell()
      })
    } catch (error) {
      if (address !== undefined) allocator?.release(address)
      throw error
    }
    this.#remember(added)
    return added
  }

  /** Fulfilled when the container has no endpoint any more. */
  async left(containerId: string): Promise<void> {
    if (!this.#byContainer.has(containerId)) return
    const waiting = this.#leaving.get(containerId) ?? Promise.withResolvers<void>()
    this.#leaving.set(containerId, waiting)
    await waiting.promise
  }

  /** Changes what a row says beside its address. */
  change(endpoint: Endpoint): void {
    this.#store.transaction(() => this.#store.putEndpoint(endpoint))
    this.#remember(endpoint)
  }

  /** Gives addresses back; `tell` is called for each in the transaction. */
  remove(endpoints: readonly Endpoint[], tell: (endpoint: Endpoint) => void): void {
    if (endpoints.length === 0) return
    this.#store.transaction(() => {
      for (const endpoint of endpoints) {
        this.#store.deleteEndpoint(endpoint.id)
        tell(endpoint)
      }
    })
    for (const { id, containerId, networkId, address } of endpoints) {
      const rest = this.ofContainer(containerId).filter((one) => one.id !== id)
      if (rest.length > 0) this.#byContainer.set(containerId, rest)
      else this.#forget(containerId)
      if (address !== undefined) this.#allocators.get(networkId)?.release(address)
    }
  }

  #forget(containerId: string): void {
    this.#byContainer.delete(containerId)
    this.#leaving.get(containerId)?.resolve()
    this.#leaving.delete(containerId)
  }

  #remember(endpoint: Endpoint): void {
    const others = this.ofContainer(endpoint.containerId).filter(({ id }) => id !== endpoint.id)
    this.#byContainer.set(endpoint.containerId, [...others, endpoint])
  }
}
