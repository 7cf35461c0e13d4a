import type { Endpoint } from './endpoint.ts'
import { formatAddress, formatSubnet, macOf, type Subnet } from './ipam/subnet.ts'

/** A set of endpoints that reach each other. */
export interface Network {
  readonly id: string
  readonly name: string
  readonly driver: DriverName
  readonly createdAt: bigint
  /** Undefined on networks without addresses of their own. */
  readonly ipam: { readonly subnet: Subnet; readonly gateway: number } | undefined
}

export type DriverName = 'bridge' | 'host' | 'null'

/** The networks that are always there and cannot be removed; `none` has the driver that Docker calls `null`. */
export const predefined = [
  { name: 'bridge', driver: 'bridge' },
  { name: 'host', driver: 'host' },
  { name: 'none', driver: 'null' },
] as const satisfies readonly { name: string; driver: DriverName }[]

/** A network as inspect and list show it. */
export interface NetworkView {
  readonly id: string
  readonly name: string
  readonly driver: string
  readonly scope: 'local'
  readonly createdAt: bigint
  readonly internal: boolean
  readonly attachable: boolean
  readonly ipv4: boolean
  readonly ipv6: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, string>>
  readonly ipam: readonly { readonly subnet: string; readonly gateway: string }[]
  readonly endpoints: readonly {
    readonly containerId: string
    readonly endpointId: string
    readonly macAddress: string
    readonly ipv4Address: string
  }[]
}

export function networkView(
  network: Network,
  endpoints: readonly Endpoint[],
  options: Readonly<Record<string, string>>,
): NetworkView {
  const { id, name, driver, createdAt, ipam } = network
  const interfaceOf = (address: number): string => `${formatAddress(address)}/${ipam?.subnet.prefix ?? 32}`
  return {
    id,
    name,
    driver,
    scope: 'local',
    createdAt,
    internal: false,
    attachable: false,
    ipv4: true,
    ipv6: false,
    labels: {},
    options,
    ipam: ipam ? [{ subnet: formatSubnet(ipam.subnet), gateway: formatAddress(ipam.gateway) }] : [],
    endpoints: endpoints.map(({ id: endpointId, containerId, address }) => ({
      containerId,
      endpointId,
      macAddress: address === undefined ? '' : macOf(address),
      ipv4Address: address === undefined ? '' : interfaceOf(address),
    })),
  }
}
