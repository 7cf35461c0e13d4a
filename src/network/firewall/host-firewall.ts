import { type Clock, systemClock } from '#base/clock.ts'
import { messageOf } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { Firewall, FirewallBridge, FirewallPort } from '#runtime/firewall.ts'
import type { HostMemory } from '../drivers/driver.ts'
import { type Forwarding, inspectForwarding, restoreForwarding } from './forwarding.ts'

export interface HostFirewallOptions {
  readonly table: string
  readonly firewall: Firewall
  readonly memory: HostMemory
  readonly log: Logger
  readonly clock?: Clock
  readonly inspect?: (memory: HostMemory) => Promise<Forwarding>
}

const lookEveryMs = 1000

/** The name of our table in the family inet; everything of ours in the host's firewall is in it. */
export function tableOf(bridge: string): string {
  return bridge === 'berth0' ? 'berth' : bridge
}

interface Elements {
  readonly bridges?: readonly FirewallBridge[]
  readonly ports?: readonly FirewallPort[]
}

/**
 * Our table of the host's firewall and forwarding, kept in line with the bridges and ports that are in use. One change at a time:
 * elements come and go one by one; the table is written as a whole at first, and when somebody flushed it or took something out.
 */
export class HostFirewall implements Disposable {
  readonly table: string
  readonly #options: HostFirewallOptions
  readonly #bridges = new Map<string, FirewallBridge>()
  readonly #ports = new Map<string, FirewallPort>()
  #last: Promise<unknown> = Promise.resolve()
  #warned = false
  /** The table has in it what was in memory when the last change began. */
  #current = false
  /** While the table is not ours alone, somebody looks after it. */
  #watch: AbortController | undefined

  constructor(options: HostFirewallOptions) {
    this.table = options.table
    this.#options = options
  }

  /** At boot: a bridge with containers, which an earlier process has admitted. */
  adoptBridge(bridge: FirewallBridge): void {
    this.#bridges.set(bridge.bridge, bridge)
  }

  /** At boot: what living containers have published by now. */
  adoptPorts(ports: readonly FirewallPort[]): void {
    for (const port of ports) this.#ports.set(keyOf(port), port)
  }

  /** Makes the table right for this bridge; nothing when it is. */
  async admit(bridge: FirewallBridge): Promise<void> {
    const known = this.#bridges.get(bridge.bridge)
    const isNew = known === undefined
    if (!sameBridge(known, bridge)) this.#bridges.set(bridge.bridge, bridge)
    if (!isNew && !sameBridge(known, bridge)) this.#current = false
    // `nft flush ruleset`, with which most rule files of administrators begin, takes our table too where it is not owned.
    if (!isNew && this.#current && this.#options.firewall.hasTable(this.table)) return
    await this.#inTurn(() => this.#add({ bridges: isNew ? [bridge] : [] }))
    this.#warnOfOthers()
  }

  /** After the last container has left the bridge. */
  async forget(name: string): Promise<void> {
    const bridge = this.#bridges.get(name)
    if (!bridge) return
    this.#bridges.delete(name)
    await this.#inTurn(() => this.#take({ bridges: [bridge] }))
  }

  /** All or none. */
  async addPorts(ports: readonly FirewallPort[]): Promise<void> {
    if (ports.length === 0) return
    this.adoptPorts(ports)
    try {
      await this.#inTurn(() => this.#add({ ports }))
      // Of TCP a new connection is a new flow, whatever went there before.
      await this.#forgetFlows(ports.filter(({ protocol }) => protocol === 'udp'))
    } catch (error) {
      for (const port of ports) this.#ports.delete(keyOf(port))
      throw error
    }
  }

  /** Also where somebody else has taken them, or the whole table, away. */
  async removePorts(ports: readonly FirewallPort[]): Promise<void> {
    const known = ports.filter((port) => this.#ports.delete(keyOf(port)))
    if (known.length === 0) return
    const kept = new Set([...this.#ports.values()].map(ownKeyOf))
    const taken = known.map((port) => {
      const keepOwn = kept.has(ownKeyOf(port))
      kept.add(ownKeyOf(port))
      return { ...port, keepOwn }
    })
    await this.#inTurn(() => this.#take({ ports: taken }))
    await this.#forgetFlows(known)
  }

  /** Takes away the table, and forwarding where it was ours and no other engine needs it. */
  async remove({ keepForwarding }: { readonly keepForwarding: boolean }): Promise<void> {
    this[Symbol.dispose]()
    await this.#inTurn(async () => {
      await this.#options.firewall.removeTable(this.table)
      if (!keepForwarding) await restoreForwarding(this.#options.memory)
    })
    this.#bridges.clear()
    this.#ports.clear()
    this.#current = false
  }

  /** Nobody looks after the table any more; it stays. */
  [Symbol.dispose](): void {
    this.#watch?.abort()
    this.#watch = undefined
  }

  /** Otherwise the kernel would lead on, by what it remembers, whoever goes on sending. */
  async #forgetFlows(ports: readonly FirewallPort[]): Promise<void> {
    if (ports.length === 0) return
    try {
      await this.#options.firewall.forgetFlows(ports)
    } catch (error) {
      this.#options.log.warn({ error: messageOf(error) }, 'flows of published ports end by themselves')
    }
  }

  async #add(elements: Elements): Promise<void> {
    await this.#change(() => this.#options.firewall.add(this.#contents(elements)))
  }

  async #take(elements: Elements): Promise<void> {
    // Without a table there is nothing to take from.
    if (!this.#options.firewall.hasTable(this.table)) return
    await this.#change(() => this.#options.firewall.take(this.#contents(elements)))
  }

  /** The whole table where the change alone is not possible. */
  async #change(change: () => Promise<void>): Promise<void> {
    if (this.#current && this.#options.firewall.hasTable(this.table)) {
      try {
        return await change()
      } catch (error) {
        this.#options.log.debug({ error: messageOf(error) }, 'the firewall is written anew')
      }
    }
    await this.#write()
  }

  async #write(): Promise<void> {
    this.#current = false
    const { inspect = inspectForwarding, memory } = this.#options
    const forwarding = await inspect(memory)
    this.#current = true
    try {
      // Rules before forwarding: at no moment does the host route for strangers because of us.
      const contents = this.#contents({ bridges: [...this.#bridges.values()], ports: [...this.#ports.values()] })
      const owned = await this.#options.firewall.write(contents, { dropOthers: forwarding.ours })
      if (!owned && !this.#watch) {
        this.#watch = new AbortController()
        void this.#restoreUntil(this.#watch.signal)
      }
    } catch (error) {
      this.#current = false
      throw error
    }
    await forwarding.turnOn()
  }

  /** `nft flush ruleset` takes away what nobody owns; without our rules containers reach what they may not. */
  async #restoreUntil(signal: AbortSignal): Promise<void> {
    const { clock = systemClock, firewall, log } = this.#options
    while (!signal.aborted) {
      try {
        await clock.sleep(lookEveryMs, { signal })
        if (firewall.hasTable(this.table)) continue
        log.warn({ table: this.table }, 'somebody took away the rules of the containers: they are written again')
        await this.#inTurn(() => (signal.aborted ? Promise.resolve() : this.#write()))
      } catch (error) {
        if (!signal.aborted) log.warn({ error: messageOf(error) }, 'the rules of the containers are not written')
      }
    }
  }

  #contents({ bridges = [], ports = [] }: Elements) {
    return { table: this.table, bridges, ports }
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => undefined)
    await turn
  }

  /** An accept of ours is not final: a chain of somebody else that drops forwarded traffic still does. Told once. */
  #warnOfOthers(): void {
    if (this.#warned) return
    this.#warned = true
    const { firewall, log } = this.#options
    try {
      const chains = firewall.droppingChains()
      if (chains.length === 0) return
      log.warn(
        { chains, bridges: [...this.#bridges.keys()] },
        `other firewall rules drop forwarded traffic by default (${chains.join('; ')}): containers may not reach other networks until the engine's bridges are allowed there`,
      )
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'cannot look for firewall rules of others')
    }
  }
}

function keyOf({ protocol, hostAddress, hostPort }: FirewallPort): string {
  return `${protocol} ${hostAddress ?? '*'} ${hostPort}`
}

/** What a container that asks for its own port of the host is known by. */
function ownKeyOf({ protocol, address, hostPort }: FirewallPort): string {
  return `${protocol} ${address} ${hostPort}`
}

function sameBridge(a: FirewallBridge | undefined, b: FirewallBridge): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
