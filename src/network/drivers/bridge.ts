import { messageOf, unavailable } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { FirewallBridge } from '#runtime/firewall.ts'
import { hostLinkOf, isHostLink, macOfEndpoint } from '../endpoint.ts'
import type { HostFirewall } from '../firewall/host-firewall.ts'
import { formatAddress } from '../ipam/subnet.ts'
import type { Network } from '../network.ts'
import { isEngineBridge, madeBridge } from './bridge-name.ts'
import { parseBridgeOptions } from './bridge-options.ts'
import type { HostLinks, HostMemory, NetworkDriver } from './driver.ts'

export interface BridgeOptions {
  /** Name of the default network's bridge on the host. */
  readonly bridge: string
  readonly mtu: number
  /** Where the default network publishes ports that name no address; undefined: everywhere. */
  readonly publishAddress?: string
  readonly links: HostLinks
  readonly firewall: HostFirewall
  readonly memory: HostMemory
  readonly log: Logger
}

/**
 * Containers on a bridge of the host, with addresses of its subnet, masqueraded on their way out. The bridge, the firewall's
 * table and forwarding are made at the first start of a container, and stay as long as there is one, with a daemon or without.
 */
export function bridgeDriver(settings: BridgeOptions): NetworkDriver {
  const { firewall, links, memory } = settings
  return {
    addressed: true,
    optionsOf: (network) => (isDefault(network) ? defaultOptions(settings) : network.settings.options),
    async prepare(network) {
      await ensureBridge(network, settings)
      await firewall.admit(rulesOf(network, settings))
    },
    adopt: (network) => firewall.adoptBridge(rulesOf(network, settings)),
    link(network, endpoint) {
      const { subnet, gateway } = ipamOf(network)
      const address = endpoint.address ?? gateway
      return {
        hostLink: hostLinkOf(endpoint),
        bridge: bridgeOf(network, settings),
        link: endpoint.link,
        mac: macOfEndpoint(endpoint, address),
        mtu: mtuOf(network, settings),
        address: `${formatAddress(address)}/${subnet.prefix}`,
        gateway: '',
      }
    },
    async remove(network) {
      const bridge = bridgeOf(network, settings)
      if (memory.get(memoryOf(network)) === undefined) return
      await firewall.forget(bridge)
      await links.deleteLink(bridge)
      memory.set(memoryOf(network), undefined)
    },
    removeHostState: (networks) => removeHostState(networks, settings),
  }
}

function rulesOf(network: Network, settings: BridgeOptions): FirewallBridge {
  const { subnet } = ipamOf(network)
  const { internal, options } = network.settings
  const masquerade = parseBridgeOptions(options).masquerade && !internal
  return { bridge: bridgeOf(network, settings), subnet, internal, masquerade }
}

async function removeHostState(networks: readonly Network[], settings: BridgeOptions): Promise<void> {
  const { firewall, links, memory, log } = settings
  const made = networks.filter((network) => memory.get(memoryOf(network)) !== undefined)
  if (made.length === 0) return
  const present = links.links()
  const names = made.map((network) => bridgeOf(network, settings))
  const own = new Set(present.filter(({ name }) => names.includes(name)).map(({ index }) => index))
  // Links of containers that have just ended may still be on their way out; anything else is somebody's.
  if (present.some(({ name, master }) => own.has(master) && !isHostLink(name))) return
  // Another engine may rely by now on what we turned on.
  const others = present.some(({ name }) => !names.includes(name) && isEngineBridge(name))
  await firewall.remove({ keepForwarding: others })
  for (const network of made) {
    try {
      await links.deleteLink(bridgeOf(network, settings))
      memory.set(memoryOf(network), undefined)
    } catch (error) {
      log.warn({ network: network.name, error: messageOf(error) }, 'the bridge of a network is still on the host')
    }
  }
}

/** At every start: where it stands that takes some ten microseconds, and one that somebody deleted or set down comes back. */
async function ensureBridge(network: Network, settings: BridgeOptions): Promise<void> {
  const { links, memory } = settings
  const { subnet, gateway } = ipamOf(network)
  const bridge = bridgeOf(network, settings)
  if (memory.get(memoryOf(network)) === undefined) {
    if (links.links().some(({ name }) => name === bridge)) {
      const way = isDefault(network)
        ? 'restart the daemon to use another name'
        : 'delete it, or give the network another name for its bridge'
      throw unavailable(`the link ${bridge} is there already and not ours: ${way}`, { code: 'bridge-taken' })
    }
    memory.set(memoryOf(network), bridge)
  }
  await links.ensureBridge(bridge, [`${formatAddress(gateway)}/${subnet.prefix}`], mtuOf(network, settings))
}

function defaultOptions(settings: BridgeOptions): Record<string, string> {
  return {
    'com.docker.network.bridge.default_bridge': 'true',
    'com.docker.network.bridge.enable_icc': 'true',
    'com.docker.network.bridge.enable_ip_masquerade': 'true',
    'com.docker.network.bridge.host_binding_ipv4': settings.publishAddress ?? '0.0.0.0',
    'com.docker.network.bridge.name': settings.bridge,
    'com.docker.network.driver.mtu': String(settings.mtu),
  }
}

function bridgeOf(network: Network, { bridge }: BridgeOptions): string {
  if (isDefault(network)) return bridge
  return parseBridgeOptions(network.settings.options).name ?? `berth-${network.id.slice(0, 9)}`
}

function mtuOf(network: Network, { mtu }: BridgeOptions): number {
  return parseBridgeOptions(network.settings.options).mtu ?? mtu
}

function memoryOf(network: Network): string {
  return isDefault(network) ? madeBridge : `bridge of ${network.id}`
}

function isDefault({ name }: Network): boolean {
  return name === 'bridge'
}

function ipamOf(network: Network): NonNullable<Network['ipam']> {
  if (!network.ipam) throw new TypeError(`the bridge network ${network.name} has no subnet`)
  return network.ipam
}
