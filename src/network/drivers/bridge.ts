import { messageOf, unavailable } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { hostLinkOf, isHostLink } from '../endpoint.ts'
import { inspectForwarding, restoreForwarding } from '../firewall/forwarding.ts'
import type { Firewall } from '../firewall/nftables.ts'
import { tableOf } from '../firewall/rules.ts'
import { formatAddress, macOf } from '../ipam/subnet.ts'
import type { Network } from '../network.ts'
import { isEngineBridge, madeBridge } from './bridge-name.ts'
import type { HostLinks, HostMemory, NetworkDriver } from './driver.ts'

export interface BridgeOptions {
  /** Name of the bridge on the host. */
  readonly bridge: string
  readonly mtu: number
  readonly links: HostLinks
  readonly firewall: Firewall
  readonly memory: HostMemory
  readonly log: Logger
}

const containerLink = 'eth0'

/**
 * Containers on a bridge of the host, with addresses of its subnet, masqueraded on their way out. The bridge, the firewall's
 * table and forwarding are made at the first start of a container, and stay as long as there is one, with a daemon or without.
 */
export function bridgeDriver(settings: BridgeOptions): NetworkDriver {
  const { bridge, mtu, links, firewall, memory, log } = settings
  let prepared: Promise<void> | undefined
  let isPrepared = false
  let warning: Promise<void> | undefined
  return {
    addressed: true,
    options: {
      'com.docker.network.bridge.default_bridge': 'true',
      'com.docker.network.bridge.enable_icc': 'true',
      'com.docker.network.bridge.enable_ip_masquerade': 'true',
      'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
      'com.docker.network.bridge.name': bridge,
      'com.docker.network.driver.mtu': String(mtu),
    },
    async prepare(network) {
      ensureBridge(network, settings)
      // `nft flush ruleset`, with which most rule files of administrators begin, takes our table too.
      if (isPrepared && !links.hasFirewallTable(tableOf(bridge))) prepared = undefined
      isPrepared &&= prepared !== undefined
      prepared ??= prepare(network, settings).then(
        () => {
          isPrepared = true
        },
        (error: unknown) => {
          // Not remembered: what was missing may be there at the next start.
          prepared = undefined
          throw error
        },
      )
      await prepared
      warning ??= warnOfOthers(settings)
    },
    plan(network, endpoint) {
      const { subnet, gateway } = ipamOf(network)
      const address = endpoint.address ?? gateway
      return {
        kind: 'veth',
        hostLink: hostLinkOf(endpoint),
        bridge,
        link: containerLink,
        mac: macOf(address),
        mtu,
        addresses: [`${formatAddress(address)}/${subnet.prefix}`],
        routes: [{ to: '0.0.0.0/0', via: formatAddress(gateway), link: containerLink }],
      }
    },
    async removeHostState() {
      await warning
      warning = undefined
      await prepared?.catch((error: unknown) => log.debug({ error: messageOf(error) }, 'the bridge was never ready'))
      prepared = undefined
      isPrepared = false
      if (memory.get(madeBridge) === undefined) return
      const present = links.links()
      const own = present.find(({ name }) => name === bridge)
      // Links of containers that have just ended may still be on their way out; anything else is somebody's.
      if (own && present.some(({ name, master }) => master === own.index && !isHostLink(name))) return
      await firewall.remove(bridge)
      await links.deleteLink(bridge)
      // Another engine may rely by now on what we turned on.
      if (!present.some(({ name }) => name !== bridge && isEngineBridge(name))) await restoreForwarding(memory)
      memory.set(madeBridge, undefined)
    },
  }
}

/** At every start: it takes some ten microseconds, and a bridge that somebody deleted comes back. */
function ensureBridge(network: Network, { bridge, mtu, links, memory }: BridgeOptions): void {
  const { subnet, gateway } = ipamOf(network)
  if (memory.get(madeBridge) === undefined) {
    if (links.links().some(({ name }) => name === bridge)) {
      throw unavailable(`the link ${bridge} is there already and not ours: restart the daemon to use another name`, {
        code: 'bridge-taken',
      })
    }
    memory.set(madeBridge, bridge)
  }
  links.ensureBridge(bridge, [`${formatAddress(gateway)}/${subnet.prefix}`], mtu)
}

async function prepare(network: Network, { bridge, firewall, memory }: BridgeOptions): Promise<void> {
  const { subnet } = ipamOf(network)
  const forwarding = await inspectForwarding(memory)
  // Rules before forwarding: at no moment does the host route for strangers because of us.
  await firewall.apply({ bridge, subnet, others: forwarding.ours ? 'drop' : 'accept' })
  await forwarding.turnOn()
}

/** An accept of ours is not final: a chain of somebody else that drops forwarded traffic still does. */
async function warnOfOthers({ bridge, firewall, log }: BridgeOptions): Promise<void> {
  try {
    const chains = await firewall.droppingForward()
    if (chains.length === 0) return
    log.warn(
      { chains, bridge },
      `other firewall rules drop forwarded traffic by default (${chains.join('; ')}): containers may not reach other networks until ${bridge} is allowed there`,
    )
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'cannot look for firewall rules of others')
  }
}

function ipamOf(network: Network): NonNullable<Network['ipam']> {
  if (!network.ipam) throw new TypeError(`the bridge network ${network.name} has no subnet`)
  return network.ipam
}
