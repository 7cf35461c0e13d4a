import { forbidden, invalid } from '#base/errors.ts'
import type { SubnetRequest } from '../network.ts'
import { contains, formatSubnet, hostRange, overlaps, parseAddress, parseInterface, type Subnet } from './subnet.ts'

/** The addresses of a network, decided. */
export interface Ipam {
  readonly subnet: Subnet
  readonly gateway: number
}

interface Neighbour {
  readonly name: string
  readonly subnet: Subnet
}

/** @param others subnets of the other networks   @throws `invalid`, `forbidden` in Docker's words */
export function ipamOf(request: SubnetRequest, others: readonly Neighbour[]): Ipam {
  const problems: string[] = []
  const subnet = parsePart(problems, () => parseSubnetRequest(request.subnet))
  if (subnet) {
    checkRange(problems, request, subnet)
    checkGateway(problems, request, subnet)
    checkReserved(problems, request, subnet)
  }
  if (!subnet || problems.length > 0) throw invalid(`invalid network config:\n${problems.join('\n')}`)
  const clash = others.find((other) => overlaps(other.subnet, subnet))
  if (clash) {
    throw forbidden(
      `invalid pool request: Pool overlaps with other one on this address space (${formatSubnet(clash.subnet)} of network ${clash.name})`,
    )
  }
  return { subnet, gateway: request.gateway ? parseAddress(request.gateway) : firstFree(request, subnet) }
}

/** The part of the subnet that addresses are taken from. */
export function rangeOf({ range }: SubnetRequest): Subnet | undefined {
  return range ? parseInterface(range).subnet : undefined
}

function parseSubnetRequest(text: string): Subnet {
  if (text.includes(':')) throw invalid(`invalid subnet ${text}: IPv6 is not supported yet`)
  let parsed: ReturnType<typeof parseInterface>
  try {
    parsed = parseInterface(text)
  } catch {
    throw invalid(`invalid subnet ${text}: invalid CIDR block notation`)
  }
  const { address, subnet } = parsed
  if (address !== subnet.base) throw invalid(`invalid subnet ${text}: it should be ${formatSubnet(subnet)}`)
  if (subnet.prefix > 30) throw invalid(`invalid subnet ${text}: it has no room for a gateway and a container`)
  return subnet
}

function checkRange(problems: string[], { range, subnet }: SubnetRequest, parent: Subnet): void {
  if (!range) return
  const inner = parsePart(
    problems,
    () => parseInterface(range),
    `invalid ip-range ${range}: invalid CIDR block notation`,
  )
  if (!inner) return
  if (inner.address !== inner.subnet.base) {
    problems.push(`invalid ip-range ${range}: it should be ${formatSubnet(inner.subnet)}`)
  } else if (inner.subnet.prefix < parent.prefix || !contains(parent, inner.subnet.base)) {
    problems.push(`invalid ip-range ${range}: parent subnet ${subnet} doesn't contain ip-range`)
  }
}

function checkGateway(problems: string[], { gateway, subnet }: SubnetRequest, parent: Subnet): void {
  if (!gateway) return
  const address = parsePart(problems, () => parseAddress(gateway), `invalid gateway ${gateway}: invalid address`)
  if (address !== undefined && !contains(parent, address)) {
    problems.push(`invalid gateway ${gateway}: parent subnet ${subnet} doesn't contain this address`)
  }
}

function checkReserved(problems: string[], { reserved, subnet }: SubnetRequest, parent: Subnet): void {
  for (const [name, text] of Object.entries(reserved ?? {})) {
    const address = parsePart(problems, () => parseAddress(text), `invalid auxiliary address ${name}: invalid address`)
    if (address !== undefined && !contains(parent, address)) {
      problems.push(`invalid auxiliary address ${name}: parent subnet ${subnet} doesn't contain this address`)
    }
  }
}

function parsePart<T>(problems: string[], parse: () => T, text?: string): T | undefined {
  try {
    return parse()
  } catch (error) {
    problems.push(text ?? (error instanceof Error ? error.message : String(error)))
    return undefined
  }
}

/** The first address of the range, or of the whole, that nobody was promised. */
function firstFree({ range, reserved }: SubnetRequest, subnet: Subnet): number {
  const taken = new Set(Object.values(reserved ?? {}).map(parseAddress))
  const { first, last } = hostRange(subnet)
  let address = range ? Math.max(parseInterface(range).subnet.base, first) : first
  while (taken.has(address) && address < last) address += 1
  return address
}
