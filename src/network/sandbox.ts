import type { PortWishes } from './ports/requested.ts'

/** What the shim builds for a container: its network stack, as the keeper document says it. */
export type SandboxPlan =
  | { readonly kind: 'host' }
  | { readonly kind: 'none' }
  | {
      readonly kind: 'veth'
      /** Name of the end on the bridge. */
      readonly hostLink: string
      readonly bridge: string
      /** Name of the end inside. */
      readonly link: string
      readonly mac: string
      readonly mtu: number
      /** With prefix length. */
      readonly addresses: readonly string[]
      readonly routes: readonly { readonly to: string; readonly via: string; readonly link: string }[]
    }

/** A link that is added to a sandbox that stands. */
export interface SandboxLink {
  readonly hostLink: string
  readonly bridge: string
  readonly link: string
  readonly mac: string
  readonly mtu: number
  /** With prefix length. */
  readonly address: string
  /** Empty: no default route. */
  readonly gateway: string
}

/** The keeper of a sandbox that stands; #shim/shim.ts is one. */
export interface SandboxKeeper {
  addLink(link: SandboxLink): Promise<void>
  /** Both ends; `not-found` when there is none. */
  removeLink(hostLink: string): Promise<void>
  /** @param gateway empty: there is no default route any more */
  setGateway(gateway: string, link: string): Promise<void>
  /** Descriptors of sockets in the sandbox that get what is sent to 127.0.0.11:53; the caller's. */
  openDns(): Promise<{ readonly udp: number; readonly tcp: number }>
  /** Takes a port of the host, or leads one that is taken to another address.   @throws `EADDRINUSE` (its code) */
  publish(port: HostPort, target: { readonly address: string; readonly port: number }): Promise<void>
  /** @throws `not-found` when it is not taken */
  withdraw(port: HostPort): Promise<void>
}

export interface HostPort {
  readonly protocol: 'tcp' | 'udp'
  /** Empty: every address, of both families. */
  readonly hostAddress: string
  readonly hostPort: number
}

export interface LinkedHost {
  readonly address: string
  readonly names: readonly string[]
}

/** What a container asks of its sandbox at each start. */
export interface SandboxRequest {
  /** HostConfig.NetworkMode: `default`, `bridge`, `host`, `none`, a network's name or id. */
  readonly mode: string
  /** The container's name. */
  readonly name: string
  readonly hostname: string
  readonly domainname: string
  /** `<data-root>/containers/<id>`: hosts, hostname and resolv.conf are written there. */
  readonly directory: string
  readonly dns: readonly string[]
  readonly dnsOptions: readonly string[]
  readonly dnsSearch: readonly string[]
  /** `name:address`; the address may be `host-gateway`. */
  readonly extraHosts: readonly string[]
  /** Containers that it is linked with. */
  readonly linkedHosts?: readonly LinkedHost[]
  readonly ports: PortWishes
}
