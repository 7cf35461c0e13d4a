import { formatAddress, formatSubnet, type Subnet } from '../ipam/subnet.ts'

/** A bridge and what may pass it. */
export interface BridgeRules {
  readonly bridge: string
  readonly subnet: Subnet
  /** Nothing goes out of it or into it. */
  readonly internal: boolean
  readonly masquerade: boolean
}

/** A port of the host that leads to one of a container. */
export interface PortRule {
  readonly protocol: 'tcp' | 'udp'
  /** Undefined: every address of the host. */
  readonly hostAddress: number | undefined
  readonly hostPort: number
  readonly address: number
  readonly port: number
}

export interface Rules {
  readonly table: string
  readonly bridges: readonly BridgeRules[]
  readonly ports: readonly PortRule[]
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
 * bridge and within it; into it only answers and what a published port leads there, so that neither another network nor a
 * neighbour of the host reaches a container by a route of its own.
 */
export function renderTable({ table, bridges, ports, others }: Rules): string {
  const names = bridges.map(({ bridge }) => quote(bridge))
  const internal = bridges.filter((one) => one.internal).map(({ bridge }) => quote(bridge))
  const masqueraded = bridges.filter(({ masquerade }) => masquerade).map(({ subnet }) => formatSubnet(subnet))
  return [
    ...renderRemoval(table).trimEnd().split('\n'),
    `table inet ${table} {`,
    ...collection('set bridges', 'type ifname', names),
    ...collection(
      'set inner',
      'type ifname . ifname',
      names.map((name) => `${name} . ${name}`),
    ),
    ...collection('set internal', 'type ifname', internal),
    ...collection('set masqueraded', 'type ipv4_addr; flags interval', masqueraded),
    ...collection(
      'map anywhere',
      'type inet_proto . inet_service : ipv4_addr . inet_service',
      elementsOf(ports).anywhere,
    ),
    ...collection(
      'map at',
      'type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service',
      elementsOf(ports).at,
    ),
    ...collection('set own', 'type ipv4_addr . inet_proto . inet_service', elementsOf(ports).own),
    ...chain('forward', 'type filter hook forward priority filter; policy accept;', forwardRules(others)),
    ...chain('prerouting', 'type nat hook prerouting priority dstnat; policy accept;', [
      // The kernel routes nothing from an address to itself: a container that asks for its own port is served by the shim's socket.
      'ip saddr . meta l4proto . th dport @own accept',
      'fib daddr type local dnat ip to ip daddr . meta l4proto . th dport map @at',
      'fib daddr type local dnat ip to meta l4proto . th dport map @anywhere',
    ]),
    // What the host sends to its own loopback is the shim's to pass on: the answer to a container's address would not come back.
    ...chain('output', 'type nat hook output priority -100; policy accept;', [
      'ip daddr != 127.0.0.0/8 fib daddr type local dnat ip to ip daddr . meta l4proto . th dport map @at',
      'ip daddr != 127.0.0.0/8 fib daddr type local dnat ip to meta l4proto . th dport map @anywhere',
    ]),
    ...chain('postrouting', 'type nat hook postrouting priority srcnat; policy accept;', [
      'ip saddr @masqueraded oifname != @bridges masquerade',
      // A container that goes to a neighbour by a port of the host must get its answers by the same way.
      'ip saddr @masqueraded oifname @bridges ct status dnat masquerade',
    ]),
    '}',
    '',
  ].join('\n')
}

function forwardRules(others: Rules['others']): string[] {
  return [
    'oifname @bridges ct state established,related accept',
    'iifname . oifname @inner accept',
    'iifname @internal drop',
    'oifname @internal drop',
    'oifname @bridges ct status dnat accept',
    'oifname @bridges drop',
    'iifname @bridges accept',
    ...(others === 'drop' ? ['iifname != "berth*" oifname != "berth*" drop'] : []),
  ]
}

/** Adds or takes away ports of a table that stands, in one transaction; '' when there is nothing to do. */
export function renderPorts(verb: 'add' | 'delete', table: string, ports: readonly PortRule[]): string {
  return Object.entries(elementsOf(ports))
    .filter(([, elements]) => elements.length > 0)
    .map(([map, elements]) => `${verb} element inet ${table} ${map} { ${elements.join(', ')} }\n`)
    .join('')
}

function elementsOf(ports: readonly PortRule[]): { anywhere: string[]; at: string[]; own: string[] } {
  const anywhere: string[] = []
  const at: string[] = []
  const own = new Set<string>()
  for (const { protocol, hostAddress, hostPort, address, port } of ports) {
    own.add(`${formatAddress(address)} . ${protocol} . ${hostPort}`)
    const element = `${protocol} . ${hostPort} : ${formatAddress(address)} . ${port}`
    if (hostAddress === undefined) anywhere.push(element)
    else at.push(`${formatAddress(hostAddress)} . ${element}`)
  }
  return { anywhere, at, own: [...own] }
}

/** Declaring the table first makes deleting it succeed when it is not there. */
export function renderRemoval(table: string): string {
  if (!/^[a-z][a-z0-9]*$/.test(table)) throw new RangeError(`'${table}' cannot be the name of a firewall table`)
  return `table inet ${table}\ndelete table inet ${table}\n`
}

function collection(name: string, type: string, elements: readonly string[]): string[] {
  const list = elements.length > 0 ? ` elements = { ${elements.join(', ')} };` : ''
  return [`  ${name} { ${type};${list} }`]
}

function chain(name: string, head: string, rules: readonly string[]): string[] {
  return [`  chain ${name} {`, `    ${head}`, ...rules.map((rule) => `    ${rule}`), '  }']
}

function quote(link: string): string {
  // nft knows no escapes within quotes.
  if (!/^[a-zA-Z][a-zA-Z0-9_.-]{0,14}$/.test(link)) throw new RangeError(`'${link}' cannot stand in a firewall rule`)
  return `"${link}"`
}
