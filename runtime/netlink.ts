import { callForJson } from './answer.ts'
import type { Library } from './library.ts'

export interface Link {
  readonly name: string
  readonly index: number
  /** `bridge`, `veth`, …; empty for hardware and loopback. */
  readonly kind: string
  /** Index of the bridge that it is a port of; 0: none. */
  readonly master: number
  readonly mtu: number
  readonly up: boolean
  /** With prefix length. */
  readonly addresses: readonly string[]
}

export interface Route {
  /** With prefix length; `0.0.0.0/0` is the default route. */
  readonly to: string
  readonly via?: string
  readonly link: string
}

/** Links, addresses and routes of the network namespace that this process is in. */
export interface Netlink {
  /** Makes the bridge or takes the one that is there: up, and of the families given with exactly these addresses.   @throws `already-exists` for a link that is no bridge */
  ensureBridge(name: string, addresses: readonly string[], mtu: number): Promise<void>
  /** Success when there is none. The kernel takes tens of milliseconds. */
  deleteLink(name: string): Promise<void>
  links(): readonly Link[]
  /** Unicast routes of the main table. */
  routes(): readonly Route[]
}

export function openNetlink(library: Library): Netlink {
  const bridges = new Map<string, { readonly wish: string; readonly index: Promise<number> }>()
  const make = (name: string, addresses: readonly string[], mtu: number): Promise<number> =>
    library.wait('berth_bridge_ensure', name, [...addresses, null], addresses.length, mtu)
  return {
    async ensureBridge(name, addresses, mtu) {
      const wish = `${addresses.join(' ')} ${mtu}`
      const known = bridges.get(name)
      // Whoever comes while it is being made waits for that; one that stands is looked at without any lock of the kernel's.
      if (known?.wish === wish) {
        const index = await known.index.catch(() => 0)
        if (library.call('berth_link_is_up', index, name) === 1) return
        if (bridges.get(name) !== known) return this.ensureBridge(name, addresses, mtu)
      }
      const made = { wish, index: make(name, addresses, mtu) }
      bridges.set(name, made)
      try {
        await made.index
      } catch (error) {
        if (bridges.get(name) === made) bridges.delete(name)
        throw error
      }
    },
    async deleteLink(name) {
      bridges.delete(name)
      await library.wait('berth_link_delete', name)
    },
    links: () => callForJson(library, 'berth_links') as Link[],
    routes: () => callForJson(library, 'berth_routes') as Route[],
  }
}
