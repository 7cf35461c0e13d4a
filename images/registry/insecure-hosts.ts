import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { invalid, systemCode } from '#base/errors.ts'

const alwaysInsecure: readonly string[] = ['127.0.0.0/8', '::1/128']

/** Whether the host may lack TLS or a certificate that we know: it is listed, lies in a listed network, or is this machine. */
export async function isInsecure(host: string, insecure: readonly string[]): Promise<boolean> {
  if (insecure.includes(host)) return true
  const networks = networksOf([...alwaysInsecure, ...insecure])
  const addresses = await addressesOf(host.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''))
  return addresses.some((address) => networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'))
}

/** The networks among the entries.   @throws `invalid` for one that is none, such as 10.0.0.0/33 */
export function networksOf(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of entries.filter((entry) => entry.includes('/'))) {
    const [address = '', prefix = ''] = network.split('/')
    const family = isIP(address)
    const longest = family === 6 ? 128 : 32
    if (family === 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > longest) {
      throw invalid(`insecure registry ${network} is not valid: write a network as 10.0.0.0/8`)
    }
    list.addSubnet(address, Number(prefix), family === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

/** A name is looked up, as Docker does: an insecure network covers the hosts in it. One that is unknown is simply not covered. */
async function addressesOf(name: string): Promise<readonly string[]> {
  if (isIP(name) !== 0) return [name]
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address)
  } catch (error) {
    if (systemCode(error) !== undefined) return []
    throw error
  }
}
