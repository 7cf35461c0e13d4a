import type { Endpoint } from '../endpoint.ts'
import type { Network } from '../network.ts'
import type { SandboxLink } from '../sandbox.ts'

/**
 * One way to give a container a network stack. `prepare` makes what all endpoints of the network share on the host, at each start
 * that finds it missing; `link` is pure: the shim makes everything of the endpoint itself.
 */
export interface NetworkDriver {
  /** Whether endpoints get an address of the network's subnet, and a link. */
  readonly addressed: boolean
  /** As `docker network inspect` shows them. */
  optionsOf(network: Network): Readonly<Record<string, string>>
  prepare(network: Network): Promise<void>
  /** At boot: an earlier process has prepared it, and containers use it. */
  adopt(network: Network): void
  /** The endpoint's link without a default route; undefined on networks without links. */
  link(network: Network, endpoint: Endpoint): SandboxLink | undefined
  /** Removes what `prepare` made for this network, in this process or an earlier one; nobody is attached to it. */
  remove(network: Network): Promise<void>
  /** Removes what `prepare` made for all of them, unless something is attached to it. */
  removeHostState(networks: readonly Network[]): Promise<void>
}

/** What the drivers ask of the host's network; #runtime/netlink.ts answers. */
export interface HostLinks {
  /** Makes the bridge or takes the one that is there: up, with exactly these IPv4 addresses. */
  ensureBridge(name: string, addresses: readonly string[], mtu: number): Promise<void>
  /** Success when there is none. */
  deleteLink(name: string): Promise<void>
  links(): readonly HostLink[]
  /** Of the main table. */
  routes(): readonly HostRoute[]
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
