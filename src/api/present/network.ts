import { shortId } from '#base/ids.ts'
import { formatNanos } from '#base/timestamp.ts'
import type { ShownSandbox } from '#containers/shown-sandbox.ts'
import type { EndpointSettings, NetworkSettings, Network as WireNetwork } from '#contract/types.gen.ts'
import { type ApiVersion, since } from '#contract/versions.ts'
import type { EndpointView } from '#network/endpoint.ts'
import type { NetworkView } from '#network/network.ts'

/** @param nameOf gives the name of an attached container; undefined: the answer leaves out who is attached, as lists do */
export function presentNetwork(
  network: NetworkView,
  nameOf: ((containerId: string) => string) | undefined,
): WireNetwork {
  return {
    Name: network.name,
    Id: network.id,
    Created: formatNanos(network.createdAt),
    Scope: network.scope,
    Driver: network.driver,
    EnableIPv4: network.ipv4,
    EnableIPv6: network.ipv6,
    IPAM: {
      Driver: 'default',
      Options: network.ipamOptions ?? null,
      Config:
        network.ipam.length === 0
          ? null
          : network.ipam.map(({ subnet, range, gateway, reserved }) => ({
              Subnet: subnet,
              ...(range !== undefined && { IPRange: range }),
              ...(gateway !== undefined && { Gateway: gateway }),
              ...(reserved !== undefined && { AuxiliaryAddresses: reserved }),
            })),
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: nameOf === undefined ? {} : presentAttached(network, nameOf),
    Options: network.options,
    Labels: network.labels,
  }
}

function presentAttached(network: NetworkView, nameOf: (containerId: string) => string): WireNetwork['Containers'] {
  return Object.fromEntries(
    network.endpoints.map((one) => [
      one.containerId,
      {
        Name: nameOf(one.containerId),
        EndpointID: one.endpointId,
        MacAddress: one.macAddress,
        IPv4Address: one.ipv4Address,
        IPv6Address: '',
      },
    ]),
  )
}

/** The `Networks` map: always there, never null; compose and traefik read it. */
function presentEndpoints(
  endpoints: readonly EndpointView[],
  version: ApiVersion,
): Readonly<Record<string, EndpointSettings>> {
  return Object.fromEntries(endpoints.map((one) => [one.network, presentEndpoint(one, version)]))
}

/** In lists Docker leaves out what only names and drivers are about. */
export function presentEndpointSummaries(
  endpoints: readonly EndpointView[],
  version: ApiVersion,
): Readonly<Record<string, EndpointSettings>> {
  const plain = { aliases: [], links: [], driverOptions: undefined, dnsNames: undefined, hasNames: false }
  return presentEndpoints(
    endpoints.map((one) => ({ ...one, ...plain })),
    version,
  )
}

function presentEndpoint(one: EndpointView, version: ApiVersion): EndpointSettings {
  return {
    IPAMConfig: one.ipamConfig ?? null,
    Links: orNull(one.links),
    Aliases: orNull(aliasesOf(one, version)),
    MacAddress: one.macAddress,
    DriverOpts: one.driverOptions ?? null,
    GwPriority: one.gatewayPriority,
    NetworkID: one.networkId,
    EndpointID: one.endpointId,
    Gateway: one.gateway,
    IPAddress: one.ipAddress,
    IPPrefixLen: one.ipPrefixLength,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: one.dnsNames ?? null,
  }
}

/** Before it had a list of its own, the short id stood among the aliases. */
function aliasesOf({ aliases, hasNames, containerId }: EndpointView, version: ApiVersion): readonly string[] {
  return hasNames && version < since.noIdInAliases ? [...aliases, shortId(containerId)] : aliases
}

function orNull(list: readonly string[]): readonly string[] | null {
  return list.length === 0 ? null : list
}

/** Before 1.52 the default bridge's addresses stand at the top, too. */
export function presentNetworkSettings(
  endpoints: readonly EndpointView[],
  { ports, sandbox }: { readonly ports: NetworkSettings['Ports']; readonly sandbox: ShownSandbox },
  version: ApiVersion,
): NetworkSettings {
  const bridge = endpoints.find(({ network }) => network === 'bridge')
  return {
    Bridge: '',
    SandboxID: sandbox.id,
    SandboxKey: sandbox.key,
    Ports: ports,
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.endpointId ?? '',
    Gateway: bridge?.gateway ?? '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: bridge?.ipAddress ?? '',
    IPPrefixLen: bridge?.ipPrefixLength ?? 0,
    IPv6Gateway: '',
    MacAddress: bridge?.macAddress ?? '',
    Networks: presentEndpoints(endpoints, version),
  }
}
