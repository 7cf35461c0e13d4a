import { formatAddress, macOf } from './ipam/subnet.ts'
import type { Network } from './network.ts'

/** The attachment of one container to one network, from start to stop. */
export interface Endpoint {
  readonly id: string
  readonly networkId: string
  readonly containerId: string
  /** Undefined on networks without addresses of their own (host, none). */
  readonly address: number | undefined
}

/** An attachment as inspect shows it; texts are empty where there is nothing. */
export interface EndpointView {
  readonly network: string
  readonly networkId: string
  readonly endpointId: string
  readonly gateway: string
  readonly ipAddress: string
  readonly ipPrefixLength: number
  readonly macAddress: string
  readonly aliases: readonly string[]
}

/** The name of the link's end on the host: short enough for the kernel, and never that of an endpoint that is being torn down. */
export function hostLinkOf(endpoint: Pick<Endpoint, 'id'>): string {
  return `bth${endpoint.id.slice(0, 8)}`
}

export function isHostLink(name: string): boolean {
  return /^bth[0-9a-f]{8}$/.test(name)
}

/** A network that the container will join when it starts. */
export function unattached(network: Network): EndpointView {
  return {
    network: network.name,
    networkId: network.id,
    endpointId: '',
    gateway: '',
    ipAddress: '',
    ipPrefixLength: 0,
    macAddress: '',
    aliases: [],
  }
}

export function endpointView(network: Network, { id, address }: Endpoint): EndpointView {
  const attached = { ...unattached(network), endpointId: id }
  if (address === undefined || !network.ipam) return attached
  return {
    ...attached,
    gateway: formatAddress(network.ipam.gateway),
    ipAddress: formatAddress(address),
    ipPrefixLength: network.ipam.subnet.prefix,
    macAddress: macOf(address),
  }
}
