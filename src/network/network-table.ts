import { invalid, notFound } from '#base/errors.ts'
import type { Network } from './network.ts'

/** Every network, in memory. */
export class NetworkTable {
  readonly #byId: Map<string, Network>

  constructor(networks: readonly Network[]) {
    this.#byId = new Map(networks.map((network) => [network.id, network]))
  }

  all(): Network[] {
    return [...this.#byId.values()]
  }

  add(network: Network): void {
    this.#byId.set(network.id, network)
  }

  delete(id: string): void {
    this.#byId.delete(id)
  }

  byId(id: string): Network | undefined {
    return this.#byId.get(id)
  }

  /** @throws `not-found`, `invalid` for a prefix of several */
  get(name: string): Network {
    const network = this.find(name)
    if (network) return network
    if (name !== '' && this.all().some(({ id }) => id.startsWith(name))) {
      throw invalid(
        `network ${name} is ambiguous (${this.all().filter(({ id }) => id.startsWith(name)).length} matches found on ID prefix)`,
      )
    }
    throw notFound(`network ${name} not found`)
  }

  /** By id, name or unambiguous prefix of the id, in this order. */
  find(name: string): Network | undefined {
    const exact = this.#byId.get(name) ?? this.all().find((network) => network.name === name)
    if (exact || name === '') return exact
    const byPrefix = this.all().filter(({ id }) => id.startsWith(name))
    return byPrefix.length === 1 ? byPrefix[0] : undefined
  }
}
