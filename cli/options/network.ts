import { conflict, invalid } from '#base/errors.ts'
import type { EndpointSettings } from '../client/wire.ts'
import { parseCsv } from './csv.ts'
import { checkMacAddress } from './hosts.ts'

export interface NetworkChoice {
  name: string
  readonly endpoint: EndpointSettings
}

/** `--network name` or `--network name=n,alias=a,ip=…`.   @throws `invalid` */
export function parseNetwork(text: string): NetworkChoice {
  const choice: NetworkChoice = { name: '', endpoint: {} }
  if (!text.includes('=')) return { name: text, endpoint: {} }
  for (const field of parseCsv(text)) {
    const equals = field.indexOf('=')
    if (equals < 0) throw invalid(`invalid field ${field}`)
    setField(choice, field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1).trim())
  }
  if (choice.name === '') throw invalid('network name/id is not specified')
  return choice
}

function setField(choice: NetworkChoice, key: string, value: string): void {
  const { endpoint } = choice
  switch (key) {
    case 'name':
      choice.name = value
      return
    case 'alias':
      endpoint.Aliases = [...(endpoint.Aliases ?? []), value.toLowerCase()]
      return
    case 'driver-opt': {
      const equals = value.indexOf('=')
      if (equals < 0) throw invalid('invalid key value pair format in driver options')
      endpoint.DriverOpts = { ...endpoint.DriverOpts, [value.slice(0, equals)]: value.slice(equals + 1) }
      return
    }
    case 'ip':
      endpoint.IPAMConfig = { ...endpoint.IPAMConfig, IPv4Address: value }
      return
    case 'ip6':
      endpoint.IPAMConfig = { ...endpoint.IPAMConfig, IPv6Address: value }
      return
    case 'mac-address':
      endpoint.MacAddress = value
      return
    case 'link-local-ip':
      endpoint.IPAMConfig = {
        ...endpoint.IPAMConfig,
        LinkLocalIPs: [...(endpoint.IPAMConfig?.LinkLocalIPs ?? []), value],
      }
      return
    case 'gw-priority':
      if (!/^-?\d+$/.test(value)) throw invalid(`invalid gw-priority: ${value}`)
      endpoint.GwPriority = Number(value)
      return
    default:
      throw invalid(`invalid field key ${key}`)
  }
}

export interface NetworkFlags {
  readonly networks: readonly NetworkChoice[]
  readonly aliases: readonly string[]
  readonly links: readonly string[]
  readonly ip: string
  readonly ip6: string
  readonly linkLocal: readonly string[]
  readonly macAddress: string
}

/** The mode of HostConfig and the endpoints, where the older flags (--ip, --network-alias …) belong to the first network. */
export function toNetworking(flags: NetworkFlags): { mode: string; endpoints: Record<string, EndpointSettings> } {
  const chosen = flags.networks.length === 0 ? [{ name: 'default', endpoint: {} }] : flags.networks
  const endpoints: Record<string, EndpointSettings> = {}
  for (const [at, { name, endpoint }] of chosen.entries()) {
    if (Object.hasOwn(endpoints, name)) throw invalid(`network "${name}" is specified multiple times`)
    endpoints[name] = at === 0 ? merge(name, endpoint, flags) : endpoint
  }
  const custom = chosen.filter(({ name }) => isUserDefined(name)).length
  if (custom > 0 && custom < chosen.length) {
    throw invalid('conflicting options: cannot attach both user-defined and non-user-defined network-modes')
  }
  const mode = chosen[0]?.name ?? 'default'
  // The engine makes the endpoint of a single network itself; sending an empty one would only repeat its name.
  if (chosen.length === 1 && Object.keys(endpoints[mode] ?? {}).length === 0) return { mode, endpoints: {} }
  return { mode, endpoints }
}

function merge(name: string, endpoint: EndpointSettings, flags: NetworkFlags): EndpointSettings {
  const merged: EndpointSettings = { ...endpoint }
  const clash = (long: string, short: string): Error =>
    conflict(`conflicting options: cannot specify both --${long} and per-network ${short}`)
  if (flags.aliases.length > 0) {
    if (endpoint.Aliases) throw clash('network-alias', 'alias')
    merged.Aliases = [...flags.aliases]
  }
  if (flags.links.length > 0 && isUserDefined(name)) merged.Links = [...flags.links]
  const ipam = { ...endpoint.IPAMConfig }
  if (flags.ip !== '') {
    if (ipam.IPv4Address) throw clash('ip', 'IPv4 address')
    ipam.IPv4Address = flags.ip
  }
  if (flags.ip6 !== '') {
    if (ipam.IPv6Address) throw clash('ip6', 'IPv6 address')
    ipam.IPv6Address = flags.ip6
  }
  if (flags.linkLocal.length > 0) {
    if (ipam.LinkLocalIPs) throw clash('link-local-ip', 'link-local IP addresses')
    ipam.LinkLocalIPs = [...flags.linkLocal]
  }
  if (Object.keys(ipam).length > 0) merged.IPAMConfig = ipam
  if (flags.macAddress !== '') {
    if (endpoint.MacAddress) throw clash('mac-address', 'MAC address')
    merged.MacAddress = checkMacAddress(flags.macAddress)
  }
  return merged
}

function isUserDefined(name: string): boolean {
  return !['default', 'bridge', 'host', 'none'].includes(name) && !name.startsWith('container:')
}
