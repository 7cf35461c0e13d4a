import type { Clock } from '#base/clock.ts'
import { invalid } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import type { Logger } from '#base/log.ts'
import { routedSubnets } from './create-network.ts'
import type { HostLinks } from './drivers/driver.ts'
import { chooseSubnet, type Pool } from './ipam/pool.ts'
import { formatSubnet, hostRange, overlaps, parseInterface, type Subnet } from './ipam/subnet.ts'
import { isPredefined, type Network, noSettings, predefined } from './network.ts'
import type { NetworkStore } from './network-store.ts'

interface Context {
  /** Name of the default bridge on the host. */
  readonly bridge: string
  readonly bip: string | undefined
  readonly pools: readonly Pool[]
  readonly links: HostLinks
  readonly clock: Clock
  readonly log: Logger
}

type Ipam = NonNullable<Network['ipam']>

/**
 * The networks that are always there: made at the first start, and the same, with the same ids, ever after. The default bridge
 * keeps its subnet unless `bip` says otherwise, or the host uses it meanwhile while no container has an address of it.
 */
export function openPredefined(store: NetworkStore, context: Context): Network[] {
  const all = store.networks()
  const known = new Map(all.map((network) => [network.name, network]))
  const others = all.flatMap(({ name, ipam }) => (ipam && !isPredefined(name) ? [ipam.subnet] : []))
  const inUse = store.endpoints().some(({ address }) => address !== undefined)
  return predefined.map(({ name, driver }) => {
    const before = known.get(name)
    const ipam = driver === 'bridge' ? bridgeIpam(before?.ipam, { inUse, others }, context) : undefined
    if (before && sameIpam(before.ipam, ipam)) return before
    const network = before
      ? { ...before, ipam }
      : { id: newId(), name, driver, createdAt: context.clock.nowNanos(), ipam, settings: noSettings }
    store.putNetwork(network)
    return network
  })
}

function bridgeIpam(
  before: Ipam | undefined,
  { inUse, others }: { readonly inUse: boolean; readonly others: readonly Subnet[] },
  { bridge, bip, links, log, pools }: Context,
): Ipam {
  if (bip !== undefined) {
    const wanted = parseBip(bip)
    if (inUse && before && !sameIpam(before, wanted)) {
      log.warn(
        { bip, subnet: formatSubnet(before.subnet) },
        'the bridge keeps its old addresses, because running containers have some of them: stop them and restart to change it',
      )
      return before
    }
    return wanted
  }
  if (before && inUse) return before
  const taken = [...routedSubnets(links, bridge), ...others]
  if (before && !taken.some((subnet) => overlaps(subnet, before.subnet))) return before
  const subnet = chooseSubnet(taken, pools)
  return { subnet, gateway: hostRange(subnet).first }
}

/** @throws `invalid` */
function parseBip(text: string): Ipam {
  const { address, subnet } = parseInterface(text)
  const { first, last } = hostRange(subnet)
  if (subnet.prefix > 30 || address < first || address > last) {
    throw invalid(`bip '${text}' must be an address of a host in a subnet of at least four addresses`)
  }
  return { subnet, gateway: address }
}

function sameIpam(a: Network['ipam'], b: Network['ipam']): boolean {
  return a?.gateway === b?.gateway && a?.subnet.base === b?.subnet.base && a?.subnet.prefix === b?.subnet.prefix
}
