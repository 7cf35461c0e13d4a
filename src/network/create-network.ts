import { alreadyExists, forbidden, invalid, notFound, notImplemented, unavailable } from '#base/errors.ts'
import { parseBridgeOptions } from './drivers/bridge-options.ts'
import type { HostLinks } from './drivers/driver.ts'
import { chooseSubnet, type Pool } from './ipam/pool.ts'
import { type Ipam, ipamOf } from './ipam/requested.ts'
import { formatSubnet, hostRange, parseInterface, type Subnet } from './ipam/subnet.ts'
import { isPredefined, type Network, type SubnetRequest } from './network.ts'

/** `docker network create`, with the defaults filled in. */
export interface NetworkRequest {
  readonly name: string
  readonly driver: string
  readonly scope: string
  readonly labels: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, string>>
  readonly internal: boolean
  readonly attachable: boolean
  readonly ingress: boolean
  readonly ipv4: boolean
  readonly ipv6: boolean
  /** The settings of another network, or for others to take: Docker's for clusters. */
  readonly configOnly: boolean
  readonly configFrom: string
  readonly ipamDriver: string
  readonly ipamOptions: Readonly<Record<string, string>> | undefined
  readonly subnets: readonly SubnetRequest[]
}

const laterDrivers = ['macvlan', 'ipvlan', 'cni', 'flannel']

/** @throws `invalid`, `forbidden`, `already-exists`, `not-found`, `not-implemented` in Docker's words where it has them */
export function checkNetworkRequest(request: NetworkRequest, networks: readonly Network[]): void {
  const { name, driver, scope, ipamDriver, subnets } = request
  if (isPredefined(name) || ['default', 'container'].includes(name)) {
    throw forbidden(`operation is not permitted on predefined ${name} network `)
  }
  if (name.trim() === '') throw invalid('invalid name: name is empty')
  if (name.length > 255 || /[/\0-\x1f\x7f]/.test(name)) {
    throw invalid('invalid name: a network takes up to 255 characters, without "/" and control characters')
  }
  if (networks.some((network) => network.name === name)) {
    throw alreadyExists(`network with name ${name} already exists`)
  }
  if (scope !== '' && scope !== 'local') {
    throw forbidden('cannot create a swarm scoped network when swarm is not active')
  }
  checkDriver(driver)
  if (!['', 'default'].includes(ipamDriver)) throw notFound(`plugin ${JSON.stringify(ipamDriver)} not found`)
  if (!request.ipv4 && !request.ipv6) throw invalid('IPv4 or IPv6 must be enabled')
  refuseMissing(request)
  if (subnets.length > 1) throw forbidden("bridge driver doesn't support multiple subnets")
  parseBridgeOptions(request.options)
}

function checkDriver(driver: string): void {
  if (driver === 'bridge') return
  if (driver === 'host' || driver === 'null') throw forbidden(`only one instance of "${driver}" network is allowed`)
  if (driver === 'overlay') {
    throw unavailable(
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    )
  }
  if (laterDrivers.includes(driver)) throw notImplemented(`networks of the driver ${driver} are not supported yet`)
  throw notFound(`plugin ${JSON.stringify(driver)} not found`)
}

function refuseMissing(request: NetworkRequest): void {
  if (request.ipv6 || request.subnets.some(({ subnet }) => subnet.includes(':'))) {
    throw notImplemented('IPv6 networks are not supported yet; make the network without EnableIPv6')
  }
  if (!request.ipv4) throw notImplemented('networks without IPv4 are not supported yet')
  if (request.configOnly || request.configFrom !== '') {
    throw notImplemented('networks that give others their settings (ConfigOnly, ConfigFrom) are not supported')
  }
  if (request.ingress) throw notImplemented('ingress networks are not supported: they belong to swarm mode')
}

/** The addresses of a new bridge network: those that were asked for, or the first that neither a network nor a route of the host has. */
export function addressesFor(
  request: NetworkRequest,
  networks: readonly Network[],
  { links, pools }: { readonly links: Pick<HostLinks, 'routes'>; readonly pools: readonly Pool[] },
): Ipam {
  const others = networks.flatMap(({ name, ipam }) => (ipam ? [{ name, subnet: ipam.subnet }] : []))
  const [asked] = request.subnets
  if (asked) return ipamOf(asked, others)
  const subnet = choose([...others.map((one) => one.subnet), ...routedSubnets(links)], pools)
  return { subnet, gateway: hostRange(subnet).first }
}

function choose(taken: readonly Subnet[], pools: readonly Pool[]): Subnet {
  try {
    return chooseSubnet(taken, pools)
  } catch (cause) {
    const list = [...new Set(taken.map(formatSubnet))].join(', ')
    throw unavailable(
      `all predefined address pools have been fully subnetted (in use by networks and routes of this host: ${list}); choose a subnet with --subnet, or give the daemon more default-address-pools`,
      { cause },
    )
  }
}

/** What the host reaches already, but for the default route, which is no claim on addresses. */
export function routedSubnets(links: Pick<HostLinks, 'routes'>, except?: string): Subnet[] {
  return links
    .routes()
    .filter(({ to, link }) => link !== except && !to.includes(':') && !to.endsWith('/0'))
    .map(({ to }) => parseInterface(to).subnet)
}
