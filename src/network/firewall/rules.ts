import { formatSubnet, type Subnet } from '../ipam/subnet.ts'

/** One bridge and what may pass it. */
export interface Rules {
  readonly bridge: string
  readonly subnet: Subnet
  /**
   * What happens to forwarded traffic of no engine's bridge. `drop` where forwarding was off until we needed it: otherwise the
   * first container would turn a workstation into a router between all its networks.
   */
  readonly others: 'accept' | 'drop'
}

/** The name of our table in the family inet; everything of ours in the host's firewall is in it. */
export function tableOf(bridge: string): string {
  return bridge === 'berth0' ? 'berth' : bridge
}

/**
 * The whole table as nft reads it, to be applied in one transaction, whatever stood there before. New connections go out of a
 * bridge and within it; into it only answers come, so that a neighbour of the host cannot reach a container by a route of its own.
 */
export function renderTable({ bridge, subnet, others }: Rules): string {
  const link = quote(bridge)
  const forward = [
    `iifname ${link} accept`,
    `oifname ${link} ct state established,related accept`,
    `oifname ${link} drop`,
    ...(others === 'drop' ? ['iifname != "berth*" oifname != "berth*" drop'] : []),
  ]
  const postrouting = [`ip saddr ${formatSubnet(subnet)} oifname != ${link} masquerade`]
  return [
    ...renderRemoval(bridge).trimEnd().split('\n'),
    `table inet ${tableOf(bridge)} {`,
    ...chain('forward', 'type filter hook forward priority filter; policy accept;', forward),
    ...chain('postrouting', 'type nat hook postrouting priority srcnat; policy accept;', postrouting),
    '}',
    '',
  ].join('\n')
}

/** Declaring the table first makes deleting it succeed when it is not there. */
export function renderRemoval(bridge: string): string {
  quote(bridge)
  return `table inet ${tableOf(bridge)}\ndelete table inet ${tableOf(bridge)}\n`
}

function chain(name: string, head: string, rules: readonly string[]): string[] {
  return [`  chain ${name} {`, `    ${head}`, ...rules.map((rule) => `    ${rule}`), '  }']
}

function quote(link: string): string {
  // nft knows no escapes within quotes.
  if (!/^[a-z][a-z0-9]{0,14}$/.test(link)) throw new RangeError(`'${link}' cannot stand in a firewall rule`)
  return `"${link}"`
}
