import { isIPv4 } from 'node:net'
import { invalid } from '#base/errors.ts'
import type { IpamConfig } from '#contract/types.gen.ts'

export interface IpamFlags {
  readonly subnets: readonly string[]
  readonly ranges: readonly string[]
  readonly gateways: readonly string[]
  readonly auxAddresses: Readonly<Record<string, string>>
}

/** `--subnet`, `--ip-range`, `--gateway`, `--aux-address`, each to the subnet that holds it.   @throws `invalid` in Docker's words */
export function toIpamConfig({ subnets, ranges, gateways, auxAddresses }: IpamFlags): IpamConfig[] {
  if (subnets.length === 0) {
    if (ranges.length > 0 || gateways.length > 0)
      throw invalid('every ip-range or gateway must have a corresponding subnet')
    if (Object.keys(auxAddresses).length > 0) throw invalid('every auxiliary address must have a corresponding subnet')
    return []
  }
  const configs = subnets.map((Subnet): IpamConfig => ({ Subnet }))
  const put = (text: string, what: string, set: (config: IpamConfig) => IpamConfig): void => {
    const at = subnets.findIndex((subnet) => holds(subnet, text))
    const config = configs[at]
    if (!config) throw invalid(`no matching subnet for ${what} ${text}`)
    configs[at] = set(config)
  }
  for (const range of ranges) {
    put(range, 'range', (config) => {
      if (config.IPRange !== undefined) throw invalid('cannot configure multiple ranges on the same subnet')
      return { ...config, IPRange: range }
    })
  }
  for (const gateway of gateways) {
    put(gateway, 'gateway', (config) => {
      if (config.Gateway !== undefined) {
        throw invalid(
          `cannot configure multiple gateways (${gateway}, ${config.Gateway}) for the same subnet (${config.Subnet})`,
        )
      }
      return { ...config, Gateway: gateway }
    })
  }
  for (const [name, address] of Object.entries(auxAddresses)) {
    put(address, 'aux-address', (config) => ({
      ...config,
      AuxiliaryAddresses: { ...config.AuxiliaryAddresses, [name]: address },
    }))
  }
  return configs
}

/** Whether an address, or the first one of a range, is in the subnet. */
function holds(subnet: string, text: string): boolean {
  const [base = '', bits = ''] = subnet.split('/')
  const [address = ''] = text.split('/')
  // Other families are the engine's to judge.
  if (!isIPv4(base) || !isIPv4(address)) return base.includes(':') && address.includes(':')
  const shift = 2 ** (32 - Number(bits))
  return Math.floor(toNumber(base) / shift) === Math.floor(toNumber(address) / shift)
}

function toNumber(address: string): number {
  return address.split('.').reduce((value, part) => value * 256 + Number(part), 0)
}
