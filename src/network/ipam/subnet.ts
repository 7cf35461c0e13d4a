import { invalid } from '#base/errors.ts'

/** An IPv4 subnet; `base` has no host bits. Addresses are plain numbers here and text everywhere else. */
export interface Subnet {
  readonly base: number
  readonly prefix: number
}

/** @throws `invalid` unless the text is four decimal numbers without leading zeros. */
export function parseAddress(text: string): number {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1)
  if (!parts?.every((part) => String(Number(part)) === part && Number(part) < 256)) {
    throw invalid(`'${text}' is not an IPv4 address`)
  }
  return parts.reduce((value, part) => value * 256 + Number(part), 0)
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
}

/** "10.1.2.3/16" to the address and the subnet around it.   @throws `invalid` */
export function parseInterface(text: string): { address: number; subnet: Subnet } {
  const [host = '', bits = '', ...rest] = text.split('/')
  if (rest.length > 0 || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) {
    throw invalid(`'${text}' is not an IPv4 address with a prefix length, as in 172.17.0.1/16`)
  }
  const address = parseAddress(host)
  const prefix = Number(bits)
  return { address, subnet: { base: (address & maskOf(prefix)) >>> 0, prefix } }
}

/** @throws `invalid`, also when the address part has host bits. */
export function parseSubnet(text: string): Subnet {
  const { address, subnet } = parseInterface(text)
  if (address !== subnet.base) throw invalid(`'${text}' has host bits set: did you mean ${formatSubnet(subnet)}?`)
  return subnet
}

export function formatSubnet({ base, prefix }: Subnet): string {
  return `${formatAddress(base)}/${prefix}`
}

export function contains({ base, prefix }: Subnet, address: number): boolean {
  return (address & maskOf(prefix)) >>> 0 === base
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.prefix < b.prefix ? contains(a, b.base) : contains(b, a.base)
}

/** First and last address that a link may have: not the network's own and not the broadcast address. */
export function hostRange({ base, prefix }: Subnet): { first: number; last: number } {
  const end = base + 2 ** (32 - prefix) - 1
  return prefix >= 31 ? { first: base, last: end } : { first: base + 1, last: end - 1 }
}

/** A locally administered MAC address that tells the IPv4 address, so that a neighbour's ARP entry stays right. */
export function macOf(address: number): string {
  const bytes = [2, 0x42, ...[24, 16, 8, 0].map((shift) => (address >>> shift) & 255)]
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')
}

function maskOf(prefix: number): number {
  return prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0
}
