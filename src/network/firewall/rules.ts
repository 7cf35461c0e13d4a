import { formatSubnet, type Subnet } from '../ipam/subnet.ts'

/** The name of our table in the family inet; everything of ours in the host's firewall is in it. */
export const tableName = 'berth'

export interface BridgeRules {
  readonly bridge: string
  readonly subnet: Subnet
}

export interface Rules {
  readonly bridges: readonly BridgeRules[]
  /**
   * What happens to forwarded traffic that is not ours. `drop` where forwarding was off until we needed it: otherwise the first
   * container would turn a workstation into a router between all its networks.
   */
  readonly others: 'accept' | 'drop'
}

/**
 * The whole table as nft reads it, to be applied in one transaction, whatever stood there before. New connections go out of a
 * bridge and within it; into it only answers come, so that a neighbour of the host cannot reach a container by a route of its own.
 */
export function renderTable({ bridges, others }: Rules): string {
  const forward = bridges.flatMap(({ bridge }) => [
    `iifname ${quote(bridge)} accept`,
    `oifname ${quote(bridge)} ct state established,related accept`,
    `oifname ${quote(bridge)} drop`,
  ])
  const postrouting = bridges.map(
    ({ bridge, subnet }) => `ip saddr ${formatSubnet(subnet)} oifname != ${quote(bridge)} masquerade`,
  )
  return [
    ...renderRemoval().trimEnd().split('\n'),
    `table inet ${tableName} {`,
    ...chain('forward', `type filter hook forward priority filter; policy ${others};`, forward),
    ...chain('postrouting', 'type nat hook postrouting priority srcnat; policy accept;', postrouting),
    '}',
    '',
  ].join('\n')
}

/** Declaring the table first makes deleting it succeed when it is not there. */
export function renderRemoval(): string {
  return `table inet ${tableName}\ndelete table inet ${tableName}\n`
}

function chain(name: string, head: string, rules: readonly string[]): string[] {
  return [`  chain ${name} {`, `    ${head}`, ...rules.map((rule) => `    ${rule}`), '  }']
}

function quote(link: string): string {
  // The name comes from configuration; nft knows no escapes within quotes.
  if (!/^[\w.-]{1,15}$/.test(link)) throw new RangeError(`'${link}' cannot stand in a firewall rule`)
  return `"${link}"`
}
