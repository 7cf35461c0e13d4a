import { closeSync } from 'node:fs'
import { callForJson } from './answer.ts'
import { type Library, valueAt } from './library.ts'

/** A bridge as the host's firewall sees it; addresses are IPv4, as numbers. */
export interface FirewallBridge {
  readonly bridge: string
  readonly subnet: { readonly base: number; readonly prefix: number }
  /** Nothing goes out of it or into it. */
  readonly internal: boolean
  readonly masquerade: boolean
}

/** A port of the host that leads to one of a container. */
export interface FirewallPort {
  readonly protocol: 'tcp' | 'udp'
  /** Undefined: every address of the host. */
  readonly hostAddress: number | undefined
  readonly hostPort: number
  readonly address: number
  readonly port: number
  /** Another port of the same number leads to the same container, so what says that it is its own stays. */
  readonly keepOwn?: boolean
}

export interface FirewallContents {
  /** Its name in the family inet. */
  readonly table: string
  readonly bridges: readonly FirewallBridge[]
  readonly ports: readonly FirewallPort[]
}

/** A table of ours in nf_tables. Each call is one transaction: everything of it happens or nothing. */
export interface Firewall extends Disposable {
  /**
   * Replaces the whole table. Nobody else can change or flush it then while this process lives, where the kernel has owned tables
   * that stay without their owner (6.9).
   * @returns whether it is so
   * @param dropOthers what is forwarded from no engine's bridge to no engine's bridge
   */
  write(contents: FirewallContents, options: { readonly dropOthers: boolean }): Promise<boolean>
  /** To the table that stands. */
  add(contents: FirewallContents): Promise<void>
  /** @throws `not-found` when something of it is not there, and takes nothing away then */
  take(contents: FirewallContents): Promise<void>
  /** Flows that go by these ports end: those led to a container, and datagrams that went past a port that leads to one. */
  forgetFlows(ports: readonly FirewallPort[]): Promise<void>
  /** Success when there is none. */
  removeTable(table: string): Promise<void>
  hasTable(table: string): boolean
  /** Base chains of anybody's that drop forwarded IPv4 traffic by default: "ip filter FORWARD". */
  droppingChains(): readonly string[]
}

/** One per process: a table belongs to the socket through which it was written. The socket is opened when it is needed. */
export function openFirewall(library: Library): Firewall {
  let opened: number | undefined
  const socket = (): number => {
    if (opened !== undefined) return opened
    const descriptor = new Int32Array(1)
    library.call('berth_firewall_open', descriptor)
    opened = valueAt(descriptor, 0)
    return opened
  }
  const elements = ({ bridges, ports }: FirewallContents) =>
    [packBridges(bridges), bridges.length, packPorts(ports), ports.length] as const
  return {
    async write(contents, { dropOthers }) {
      const more = [...elements(contents), dropOthers ? 1 : 0] as const
      return (await library.wait('berth_firewall_write', socket(), contents.table, ...more)) === 1
    },
    async add(contents) {
      await library.wait('berth_firewall_change', socket(), contents.table, ...elements(contents), 1)
    },
    async take(contents) {
      await library.wait('berth_firewall_change', socket(), contents.table, ...elements(contents), 0)
    },
    async forgetFlows(ports) {
      await library.wait('berth_conntrack_forget', packPorts(ports), ports.length)
    },
    async removeTable(table) {
      await library.wait('berth_firewall_remove', socket(), table)
    },
    hasTable: (table) => library.call('berth_firewall_table', table) === 1,
    droppingChains() {
      const chains = callForJson(library, 'berth_firewall_dropping') as readonly Record<string, string>[]
      return chains.map(({ family, table, name }) => `${family} ${table} ${name}`)
    },
    [Symbol.dispose]() {
      if (opened !== undefined) closeSync(opened)
      opened = undefined
    },
  }
}

const linkNameBytes = 16
const flags = { internal: 1, masqueraded: 2 }
const protocols = { tcp: 6, udp: 17 }

/** struct berth_firewall_bridge, one behind the other. */
function packBridges(bridges: readonly FirewallBridge[]): Buffer {
  const size = linkNameBytes + 8
  const packed = Buffer.alloc(size * bridges.length)
  for (const [at, { bridge, subnet, internal, masquerade }] of bridges.entries()) {
    const name = Buffer.from(bridge)
    if (name.length === 0 || name.length >= linkNameBytes || name.includes(0)) {
      throw new RangeError(`'${bridge}' cannot be the name of a bridge`)
    }
    name.copy(packed, at * size)
    packed.writeUInt32BE(subnet.base, at * size + linkNameBytes)
    packed[at * size + linkNameBytes + 4] = subnet.prefix
    packed[at * size + linkNameBytes + 5] = (internal ? flags.internal : 0) | (masquerade ? flags.masqueraded : 0)
  }
  return packed
}

/** struct berth_firewall_port, one behind the other. */
function packPorts(ports: readonly FirewallPort[]): Buffer {
  const size = 16
  const packed = Buffer.alloc(size * ports.length)
  for (const [number, { protocol, hostAddress, hostPort, address, port, keepOwn }] of ports.entries()) {
    const at = number * size
    packed[at] = protocols[protocol]
    packed[at + 1] = hostAddress === undefined ? 0 : 1
    packed[at + 2] = keepOwn ? 1 : 0
    // All machines that Node runs Berth on are little-endian (x64, arm64).
    packed.writeUInt16LE(hostPort, at + 4)
    packed.writeUInt16LE(port, at + 6)
    packed.writeUInt32BE(hostAddress ?? 0, at + 8)
    packed.writeUInt32BE(address, at + 12)
  }
  return packed
}
