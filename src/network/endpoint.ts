import { shortId } from '#base/ids.ts'
import type { Attached, Attachment } from './attachment.ts'
import { formatAddress, macOf } from './ipam/subnet.ts'
import type { Network } from './network.ts'
import type { PublishedPort } from './ports/host-ports.ts'

/** The attachment of one running container to one network, from start to stop. */
export interface Endpoint {
  readonly id: string
  readonly networkId: string
  readonly containerId: string
  /** Undefined on networks without addresses of their own (host, none). */
  readonly address: number | undefined
  /** The one that was asked for; undefined: made of the address. */
  readonly macAddress: string | undefined
  /** Name of the end inside; empty without one. */
  readonly link: string
  readonly gatewayPriority: number
  /** Ports of the host that lead to it. */
  readonly ports: readonly PublishedPort[]
  /** Names under which others on the network find it, the container's own first. */
  readonly dnsNames: readonly string[]
}

/** An attachment as inspect shows it; texts are empty where there is nothing. */
export interface EndpointView {
  readonly containerId: string
  readonly network: string
  readonly networkId: string
  readonly endpointId: string
  readonly gateway: string
  readonly ipAddress: string
  readonly ipPrefixLength: number
  readonly macAddress: string
  readonly aliases: readonly string[]
  readonly links: readonly string[]
  readonly driverOptions: Readonly<Record<string, string>> | undefined
  readonly gatewayPriority: number
  readonly ipamConfig: Readonly<Record<string, unknown>> | undefined
  /** Whether others on the network find it by its names. */
  readonly hasNames: boolean
  /** Undefined on networks without names, unless it was renamed there. */
  readonly dnsNames: readonly string[] | undefined
}

/** The name of the link's end on the host: short enough for the kernel, and never that of an endpoint that is being torn down. */
export function hostLinkOf(endpoint: Pick<Endpoint, 'id'>): string {
  return `bth${endpoint.id.slice(0, 8)}`
}

export function isHostLink(name: string): boolean {
  return /^bth[0-9a-f]{8}$/.test(name)
}

/** Every name of a container on a network of its own kind: its name, aliases, short id, host name. */
export function dnsNamesOf({ id, name, hostname }: Attached, { aliases }: Attachment): string[] {
  return [...new Set([name, ...aliases, shortId(id), hostname])].filter((one) => one !== '')
}

/** A network that the container will join when it starts. */
export function unattached(
  attachment: Attachment,
  dnsNames: readonly string[] | undefined,
): Omit<EndpointView, 'containerId' | 'hasNames'> {
  return {
    network: attachment.network,
    networkId: attachment.networkId ?? '',
    endpointId: '',
    gateway: '',
    ipAddress: '',
    ipPrefixLength: 0,
    macAddress: attachment.macAddress ?? '',
    aliases: attachment.aliases,
    links: attachment.links,
    driverOptions: attachment.driverOptions,
    gatewayPriority: attachment.gatewayPriority,
    ipamConfig: attachment.ipamConfig,
    dnsNames,
  }
}

/** What an endpoint adds to that while the container runs. */
export function attachedView(network: Network, endpoint: Endpoint): Partial<EndpointView> {
  const { id, address } = endpoint
  const attached = { networkId: network.id, endpointId: id }
  if (address === undefined || !network.ipam) return attached
  return {
    ...attached,
    gateway: network.settings.internal ? '' : formatAddress(network.ipam.gateway),
    ipAddress: formatAddress(address),
    ipPrefixLength: network.ipam.subnet.prefix,
    macAddress: macOfEndpoint(endpoint, address),
  }
}

export function macOfEndpoint({ macAddress }: Pick<Endpoint, 'macAddress'>, address: number): string {
  return macAddress ?? macOf(address)
}
