import type { Endpoint } from '../endpoint.ts'
import type { Network } from '../network.ts'
import type { SandboxPlan } from '../sandbox.ts'

/**
 * One way to give a container a network stack. `prepare` makes what all endpoints of the network share on the host, at the first
 * use in this process, and again is nothing; `plan` is pure: the shim makes everything of the endpoint itself.
 */
export interface NetworkDriver {
  /** Whether endpoints get an address of the network's subnet. */
  readonly addressed: boolean
  /** As `docker network inspect` shows them. */
  readonly options: Readonly<Record<string, string>>
  prepare(network: Network): Promise<void>
  plan(network: Network, endpoint: Endpoint): SandboxPlan
  /** Removes what `prepare` made, in this process or an earlier one, unless something is attached to it. */
  removeHostState(): Promise<void>
}

/** What the drivers ask of the host's network; #runtime/netlink.ts answers. */
export interface HostLinks {
  /** Makes the bridge or takes the one that is there: up, with exactly these IPv4 addresses. */
  ensureBridge(name: string, addresses: readonly string[], mtu: number): void
  /** Success when there is none. */
  deleteLink(name: string): Promise<void>
  links(): readonly HostLink[]
  /** Of the main table. */
  routes(): readonly HostRoute[]
  /** Whether nf_tables has this table in the family inet; takes microseconds. */
  hasFirewallTable(name: string): boolean
}

/** What outlives the process about changes that we made on the host, by name. */
export interface HostMemory {
  get(name: string): string | undefined
  set(name: string, value: string | undefined): void
}

export interface HostLink {
  readonly name: string
  readonly index: number
  /** Index of the bridge that it is a port of; 0: none. */
  readonly master: number
}

export interface HostRoute {
  /** With prefix length; `0.0.0.0/0` is the default route. */
  readonly to: string
  readonly via?: string
  readonly link: string
}
