import { messageOf } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { HostLinks, HostMemory } from '../drivers/driver.ts'
import { inspectForwarding, restoreForwarding } from './forwarding.ts'
import type { Firewall } from './nftables.ts'
import type { BridgeRules, PortRule } from './rules.ts'

export interface HostFirewallOptions {
  readonly table: string
  readonly links: Pick<HostLinks, 'hasFirewallTable'>
  readonly firewall: Firewall
  readonly memory: HostMemory
  readonly log: Logger
}

/**
 * Our table of the host's firewall and forwarding, kept in line with the bridges and ports that are in use. One change at a time;
 * the table is written as a whole when a bridge comes or goes or when somebody flushed it, element by element for ports.
 */
export class HostFirewall {
  readonly table: string
  readonly #options: HostFirewallOptions
  readonly #bridges = new Map<string, BridgeRules>()
  readonly #ports = new Map<string, PortRule>()
  #last: Promise<unknown> = Promise.resolve()
  #warned = false
  /** The table has in it what is in memory. */
  #current = false

  constructor(options: HostFirewallOptions) {
    this.table = options.table
    this.#options = options
  }

  /** At boot: a bridge with containers, which an earlier process has admitted. */
  adoptBridge(rules: BridgeRules): void {
    this.#bridges.set(rules.bridge, rules)
  }

  /** At boot: what living containers have published by now. */
  adoptPorts(ports: readonly PortRule[]): void {
    for (const port of ports) this.#ports.set(keyOf(port), port)
  }

  /** Makes the table right for this bridge; nothing when it is. */
  async admit(rules: BridgeRules): Promise<void> {
    if (!sameRules(this.#bridges.get(rules.bridge), rules)) {
      this.#bridges.set(rules.bridge, rules)
      this.#current = false
    }
    // `nft flush ruleset`, with which most rule files of administrators begin, takes our table too.
    if (this.#current && this.#options.links.hasFirewallTable(this.table)) return
    this.#current = false
    await this.#inTurn(() => this.#write())
    this.#warnOfOthers()
  }

  /** After the last container has left the bridge. */
  async forget(bridge: string): Promise<void> {
    if (!this.#bridges.delete(bridge)) return
    if (!this.#options.links.hasFirewallTable(this.table)) return
    this.#current = false
    await this.#inTurn(() => this.#write())
  }

  async addPorts(ports: readonly PortRule[]): Promise<void> {
    if (ports.length === 0) return
    this.adoptPorts(ports)
    await this.#inTurn(async () => {
      if (this.#current) await this.#options.firewall.addPorts(this.table, ports)
      else await this.#write()
    })
  }

  /** Also where somebody else has taken them, or the whole table, away. */
  async removePorts(ports: readonly PortRule[]): Promise<void> {
    const known = ports.filter((port) => this.#ports.delete(keyOf(port)))
    if (known.length === 0) return
    await this.#inTurn(async () => {
      if (!this.#options.links.hasFirewallTable(this.table)) return
      try {
        await this.#options.firewall.removePorts(this.table, known)
      } catch (error) {
        this.#options.log.debug({ error: messageOf(error) }, 'the firewall is written anew')
        await this.#write()
      }
    })
  }

  /** Takes away the table, and forwarding where it was ours and no other engine needs it. */
  async remove({ keepForwarding }: { readonly keepForwarding: boolean }): Promise<void> {
    await this.#inTurn(async () => {
      await this.#options.firewall.remove(this.table)
      if (!keepForwarding) await restoreForwarding(this.#options.memory)
    })
    this.#bridges.clear()
    this.#ports.clear()
    this.#current = false
  }

  async #write(): Promise<void> {
    if (this.#current) return
    const forwarding = await inspectForwarding(this.#options.memory)
    const bridges = [...this.#bridges.values()]
    // Rules before forwarding: at no moment does the host route for strangers because of us.
    await this.#options.firewall.apply({
      table: this.table,
      bridges,
      ports: [...this.#ports.values()],
      others: forwarding.ours ? 'drop' : 'accept',
    })
    if (bridges.length === this.#bridges.size) this.#current = true
    await forwarding.turnOn()
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
    this.#last = this.#last.then(async () => {
      try {
        const chains = await firewall.droppingForward()
        if (chains.length === 0) return
        log.warn(
          { chains, bridges: [...this.#bridges.keys()] },
          `other firewall rules drop forwarded traffic by default (${chains.join('; ')}): containers may not reach other networks until the engine's bridges are allowed there`,
        )
      } catch (error) {
        log.warn({ error: messageOf(error) }, 'cannot look for firewall rules of others')
      }
    })
  }
}

function keyOf({ protocol, hostAddress, hostPort }: PortRule): string {
  return `${protocol} ${hostAddress ?? '*'} ${hostPort}`
}

function sameRules(a: BridgeRules | undefined, b: BridgeRules): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
