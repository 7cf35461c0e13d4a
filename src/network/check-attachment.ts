import { invalid, notImplemented } from '#base/errors.ts'
import type { Attachment } from './attachment.ts'
import { contains, parseAddress } from './ipam/subnet.ts'
import { isPredefined, type Network } from './network.ts'

/** @throws `invalid` in Docker's words for what this network cannot give, `not-implemented` */
export function checkAttachment(network: Network, attachment: Attachment): void {
  const problems: string[] = []
  const { aliases, links, ipv4Address, ipamConfig, macAddress } = attachment
  if (ipamConfig?.IPv6Address) throw notImplemented('IPv6 addresses of containers are not supported yet')
  if (Array.isArray(ipamConfig?.LinkLocalIPs) && ipamConfig.LinkLocalIPs.length > 0) {
    throw notImplemented('link-local addresses of containers (LinkLocalIPs) are not supported yet')
  }
  if (isPredefined(network.name)) {
    if (ipv4Address !== undefined) {
      problems.push('user specified IP address is supported on user defined networks only')
    }
    if (aliases.length > 0) {
      problems.push('network-scoped alias is supported only for containers in user defined networks')
    }
  } else if (ipv4Address !== undefined) {
    problems.push(...addressProblems(network, ipv4Address))
  }
  for (const link of links) if (!/^[^:]+(:[^:]+)?$/.test(link)) problems.push(`bad format for links: ${link}`)
  if (macAddress !== undefined && !isMac(macAddress)) problems.push(`invalid MAC address: ${macAddress}`)
  if (problems.length > 0) throw invalid(`invalid endpoint settings:\n${problems.join('\n')}`)
}

function addressProblems({ settings, ipam }: Network, text: string): string[] {
  if (!settings.subnet || !ipam) {
    return ['user specified IP address is supported only when connecting to networks with user configured subnets']
  }
  try {
    if (contains(ipam.subnet, parseAddress(text))) return []
  } catch {
    return [`invalid IPv4 address: ${text}`]
  }
  return [`no configured subnet contains IP address ${text}`]
}

/** One that a single station may have. */
function isMac(text: string): boolean {
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text) && (Number.parseInt(text.slice(0, 2), 16) & 1) === 0
}
