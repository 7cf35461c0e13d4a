import { type Endpoint, macOfEndpoint } from './endpoint.ts'
import { formatAddress, formatSubnet, type Subnet } from './ipam/subnet.ts'

/** A set of endpoints that reach each other. */
export interface Network {
  readonly id: string
  readonly name: string
  readonly driver: DriverName
  readonly createdAt: bigint
  /** Undefined on networks without addresses of their own. */
  readonly ipam: { readonly subnet: Subnet; readonly gateway: number } | undefined
  readonly settings: NetworkSettings
}

export type DriverName = 'bridge' | 'host' | 'null'

/** What a network was asked to be, for good. */
export interface NetworkSettings {
  readonly labels: Readonly<Record<string, string>>
  /** Of the driver. */
  readonly options: Readonly<Record<string, string>>
  /** Without a way out. */
  readonly internal: boolean
  readonly attachable: boolean
  /** As it came; undefined: the addresses were chosen for it. */
  readonly subnet: SubnetRequest | undefined
  readonly ipamOptions: Readonly<Record<string, string>> | undefined
}

/** One entry of IPAM.Config, as it came. */
export interface SubnetRequest {
  readonly subnet: string
  readonly range: string | undefined
  readonly gateway: string | undefined
  /** Addresses that are somebody else's, by their names. */
  readonly reserved: Readonly<Record<string, string>> | undefined
}

export const noSettings: NetworkSettings = {
  labels: {},
  options: {},
  internal: false,
  attachable: false,
  subnet: undefined,
  ipamOptions: undefined,
}

/** The networks that are always there and cannot be removed; `none` has the driver that Docker calls `null`. */
export const predefined = [
  { name: 'bridge', driver: 'bridge' },
  { name: 'host', driver: 'host' },
  { name: 'none', driver: 'null' },
] as const satisfies readonly { name: string; driver: DriverName }[]

export function isPredefined(name: string): boolean {
  return predefined.some((one) => one.name === name)
}

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
  readonly ipamOptions: Readonly<Record<string, string>> | undefined
  readonly ipam: readonly {
    readonly subnet: string
    readonly gateway?: string
    readonly range?: string
    readonly reserved?: Readonly<Record<string, string>>
  }[]
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
  const { id, name, driver, createdAt, ipam, settings } = network
  const interfaceOf = (address: number): string => `${formatAddress(address)}/${ipam?.subnet.prefix ?? 32}`
  return {
    id,
    name,
    driver,
    scope: 'local',
    createdAt,
    internal: settings.internal,
    attachable: settings.attachable,
    ipv4: true,
    ipv6: false,
    labels: settings.labels,
    options,
    ipamOptions: settings.ipamOptions,
    ipam: ipamView(network),
    endpoints: endpoints.map((endpoint) => ({
      containerId: endpoint.containerId,
      endpointId: endpoint.id,
      macAddress: endpoint.address === undefined ? '' : macOfEndpoint(endpoint, endpoint.address),
      ipv4Address: endpoint.address === undefined ? '' : interfaceOf(endpoint.address),
    })),
  }
}

/** What was asked for is shown as it was asked for, without what was added to it. */
function ipamView({ ipam, settings }: Network): NetworkView['ipam'] {
  if (!ipam) return []
  if (!settings.subnet) return [{ subnet: formatSubnet(ipam.subnet), gateway: formatAddress(ipam.gateway) }]
  const { subnet, range, gateway, reserved } = settings.subnet
  return [
    {
      subnet,
      ...(range !== undefined && { range }),
      ...(gateway !== undefined && { gateway }),
      ...(reserved !== undefined && { reserved }),
    },
  ]
}
