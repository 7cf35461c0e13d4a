import type { Attachment } from '../attachment.ts'
import type { Endpoint } from '../endpoint.ts'
import { formatAddress, parseAddress } from '../ipam/subnet.ts'
import { isPredefined, type Network } from '../network.ts'

/** What names are made of; asked anew for each question. */
export interface ZoneParts {
  readonly networks: { byId(id: string): Network | undefined }
  readonly endpoints: {
    ofContainer(containerId: string): readonly Endpoint[]
    ofNetwork(networkId: string): readonly Endpoint[]
  }
  /** What a container wants of its networks: its links. */
  attachmentsOf(containerId: string): readonly Attachment[]
}

/** The names that one container can use. */
export class Zone {
  readonly #parts: ZoneParts
  readonly #containerId: string

  constructor(parts: ZoneParts, containerId: string) {
    this.#parts = parts
    this.#containerId = containerId
  }

  /** Addresses under a name, of the first network that has it, with or without the network's own name behind it; undefined: not ours. */
  addresses(name: string): string[] | undefined {
    const asked = normalise(name)
    for (const network of this.#networks()) {
      const suffix = `.${network.name.toLowerCase()}`
      const short = asked.endsWith(suffix) ? asked.slice(0, -suffix.length) : undefined
      const found = this.#find(network, asked) ?? (short === undefined ? undefined : this.#find(network, short))
      if (found) return found
    }
    return undefined
  }

  /** The name of a neighbour's address, asked as `2.0.18.172.in-addr.arpa`; undefined: not ours. */
  nameOf(reverse: string): string | undefined {
    const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(normalise(reverse))
    if (!match) return undefined
    const [, d, c, b, a] = match
    let address: number
    try {
      address = parseAddress([a, b, c, d].join('.'))
    } catch {
      return undefined
    }
    for (const network of this.#networks()) {
      const endpoint = this.#parts.endpoints.ofNetwork(network.id).find((one) => one.address === address)
      const [name] = endpoint?.dnsNames ?? []
      if (name !== undefined) return `${name}.${network.name}`
    }
    return undefined
  }

  /** Whether questions about the world may leave: not from internal networks alone. */
  get reachesOut(): boolean {
    return this.#parts.endpoints
      .ofContainer(this.#containerId)
      .some(({ networkId }) => this.#parts.networks.byId(networkId)?.settings.internal === false)
  }

  #networks(): Network[] {
    return this.#parts.endpoints.ofContainer(this.#containerId).flatMap(({ networkId }) => {
      const network = this.#parts.networks.byId(networkId)
      return network && !isPredefined(network.name) ? [network] : []
    })
  }

  #find(network: Network, name: string): string[] | undefined {
    const target = this.#linkedAs(network, name) ?? name
    const endpoints = this.#parts.endpoints
      .ofNetwork(network.id)
      .filter(({ dnsNames }) => dnsNames.some((one) => one.toLowerCase() === target))
    const addresses = endpoints.flatMap(({ address }) => (address === undefined ? [] : [formatAddress(address)]))
    return addresses.length > 0 ? addresses : undefined
  }

  /** `--link container:alias`: a name for this container alone. */
  #linkedAs(network: Network, name: string): string | undefined {
    const own = this.#parts.attachmentsOf(this.#containerId).find(({ networkId }) => networkId === network.id)
    for (const link of own?.links ?? []) {
      const [target = '', alias = target] = link.replace(/^\//, '').split(':')
      if (alias.toLowerCase() === name) return target.toLowerCase()
    }
    return undefined
  }
}

function normalise(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
