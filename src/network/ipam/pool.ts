import { unavailable } from '#base/errors.ts'
import { formatSubnet, overlaps, parseSubnet, type Subnet } from './subnet.ts'

/** A range that is cut into subnets of `size` bits. */
export interface Pool {
  readonly range: Subnet
  readonly size: number
}

/** The ranges that Docker uses, in its order, so that firewalls and VPNs configured for Docker fit. */
export const defaultPools: readonly Pool[] = [
  { range: parseSubnet('172.17.0.0/16'), size: 16 },
  { range: parseSubnet('172.18.0.0/16'), size: 16 },
  { range: parseSubnet('172.19.0.0/16'), size: 16 },
  { range: parseSubnet('172.20.0.0/14'), size: 16 },
  { range: parseSubnet('172.24.0.0/14'), size: 16 },
  { range: parseSubnet('172.28.0.0/14'), size: 16 },
  { range: parseSubnet('192.168.0.0/16'), size: 20 },
]

/** The first subnet of the pools that overlaps none of `taken`.   @throws `unavailable` when all do. */
export function chooseSubnet(taken: readonly Subnet[], pools: readonly Pool[] = defaultPools): Subnet {
  for (const subnet of pools.flatMap((pool) => [...subnetsOf(pool)])) {
    if (!taken.some((other) => overlaps(subnet, other))) return subnet
  }
  throw unavailable(
    `every subnet of the default pools overlaps a route of this host (${taken.map(formatSubnet).join(', ')}): choose one with --bip`,
    { code: 'no-free-subnet' },
  )
}

function* subnetsOf({ range, size }: Pool): Generator<Subnet> {
  const step = 2 ** (32 - size)
  for (let i = 0; i < 2 ** (size - range.prefix); i++) yield { base: range.base + i * step, prefix: size }
}
