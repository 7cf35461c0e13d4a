import { throwIfAborted } from '#base/abort.ts'
import { internal, isKind, messageOf, notFound } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import type { Logger } from '#base/log.ts'
import type { Attached, Attachment } from './attachment.ts'
import { type AttachmentTable, networkName } from './attachment-table.ts'
import { checkAttachment } from './check-attachment.ts'
import { DnsServers } from './dns/dns-servers.ts'
import { parseBridgeOptions } from './drivers/bridge-options.ts'
import type { NetworkDriver } from './drivers/driver.ts'
import { dnsNamesOf, type Endpoint } from './endpoint.ts'
import type { EndpointTable } from './endpoint-table.ts'
import { changeHosts, type EtcContext, type HostFiles, rewriteResolvConf, writeEtcFiles } from './etc-files.ts'
import { formatAddress, parseAddress } from './ipam/subnet.ts'
import { type DriverName, isPredefined, type Network } from './network.ts'
import type { NetworkTable } from './network-table.ts'
import type { Publisher } from './ports/publisher.ts'
import { requestedPorts } from './ports/requested.ts'
import type { SandboxKeeper, SandboxLink, SandboxPlan, SandboxRequest } from './sandbox.ts'

export interface SandboxParts {
  readonly networks: NetworkTable
  readonly endpoints: EndpointTable
  readonly attachments: AttachmentTable
  readonly drivers: Readonly<Record<DriverName, NetworkDriver>>
  readonly publisher: Publisher
  readonly files: HostFiles
  /** What `host-gateway` means; empty: the default bridge's own address. */
  readonly hostGateways: readonly string[]
  readonly log: Logger
  /** Called in the transaction of the change. */
  readonly tell: (action: 'connect' | 'disconnect', endpoint: Endpoint) => void
}

interface Open {
  readonly request: SandboxRequest
  readonly keeper: SandboxKeeper
}

/** The network stacks of running containers: what they begin with, and what changes while they run. */
export class Sandboxes implements AsyncDisposable {
  readonly #parts: SandboxParts
  readonly #open = new Map<string, Open>()
  readonly #dns: DnsServers

  constructor(parts: SandboxParts) {
    this.#parts = parts
    const { networks, endpoints, attachments, files, log } = parts
    const attachmentsOf = (containerId: string) =>
      attachments.of(containerId, this.#open.get(containerId)?.request.mode ?? '')
    this.#dns = new DnsServers({ zone: { networks, endpoints, attachmentsOf }, files, log })
  }

  /** Allocates the endpoints of a container that is about to start and writes its files below /etc. */
  async open(containerId: string, request: SandboxRequest, signal: AbortSignal | undefined): Promise<SandboxPlan> {
    // Another container's network stack, which that one's shim keeps.
    if (request.mode.startsWith('container:')) return { kind: 'host' }
    const wanted = this.#wantedOf(containerId, request.mode)
    for (const { network } of wanted) {
      throwIfAborted(signal)
      await this.#parts.drivers[network.driver].prepare(network)
    }
    throwIfAborted(signal)
    // An endpoint of an earlier run, which nobody closed, must not lend its link's name: the kernel may still be taking it down.
    await this.close(containerId)
    try {
      const subject = { id: containerId, ...request }
      for (const { network, attachment } of wanted) this.#connect(network, attachment, subject)
      await this.#writeFiles(containerId, request)
    } catch (error) {
      await this.close(containerId)
      throw error
    }
    return this.#plan(containerId, wanted[0]?.network)
  }

  /** What only a sandbox that stands can be given, before its container runs. */
  async furnish(containerId: string, request: SandboxRequest, keeper: SandboxKeeper): Promise<void> {
    this.#open.set(containerId, { request, keeper })
    for (const link of this.#links(containerId).slice(1)) await keeper.addLink(link)
    if (this.#hasNames(containerId)) await this.#dns.open(containerId, request, keeper)
    await this.#publish(containerId, request, keeper)
  }

  /** At boot, of a container that has lived on. */
  async adopt(containerId: string, request: SandboxRequest, keeper: SandboxKeeper): Promise<void> {
    this.#open.set(containerId, { request, keeper })
    if (!this.#hasNames(containerId)) return
    try {
      await this.#dns.open(containerId, request, keeper)
    } catch (error) {
      this.#parts.log.warn({ container: containerId, error: messageOf(error) }, 'a container has no DNS server')
    }
  }

  /** Gives the addresses back. Closing what is closed is nothing. */
  async close(containerId: string): Promise<void> {
    this.#open.delete(containerId)
    await this.#dns.close(containerId)
    const { endpoints, publisher, tell } = this.#parts
    for (const { ports, address } of endpoints.ofContainer(containerId)) {
      if (address !== undefined) await publisher.withdraw(ports, address)
    }
    endpoints.remove(endpoints.ofContainer(containerId), (endpoint) => tell('disconnect', endpoint))
  }

  /** Adds a link to a running container. */
  async connect(subject: Attached, network: Network, attachment: Attachment): Promise<void> {
    const { drivers, endpoints, tell } = this.#parts
    const open = this.#open.get(subject.id)
    if (!open) throw internal(`the network of container ${subject.name} is not known yet; try again`)
    await drivers[network.driver].prepare(network)
    const hadNames = this.#hasNames(subject.id)
    const endpoint = this.#connect(network, attachment, subject)
    try {
      const link = this.#links(subject.id).find(({ link }) => link === endpoint.link)
      if (link) await open.keeper.addLink(link)
      await this.#movePorts(subject.id, open)
      await changeHosts(open.request, { added: addressesOf(endpoint) })
      if (!hadNames && this.#hasNames(subject.id)) {
        await this.#dns.open(subject.id, open.request, open.keeper)
        await rewriteResolvConf(open.request, this.#etcContext(subject.id))
      }
    } catch (error) {
      endpoints.remove([endpoint], (one) => tell('disconnect', one))
      throw error
    }
  }

  /** Takes a link of a running container away. */
  async disconnect(containerId: string, network: Network): Promise<void> {
    const { endpoints, tell } = this.#parts
    const endpoint = endpoints.ofContainer(containerId).find(({ networkId }) => networkId === network.id)
    if (!endpoint) return
    const link = this.#linkOf(endpoint)
    const open = this.#open.get(containerId)
    const rest = endpoints.ofContainer(containerId).filter((one) => one !== endpoint)
    if (open) await this.#movePorts(containerId, open, rest)
    if (link && open) await open.keeper.removeLink(link.hostLink).catch(ignoreMissing)
    endpoints.remove([endpoint], (one) => tell('disconnect', one))
    if (!open) return
    await this.#setGateway(containerId, open.keeper)
    await changeHosts(open.request, { removed: addressesOf(endpoint) })
  }

  /** Sockets only: the shims keep theirs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dns[Symbol.asyncDispose]()
  }

  /** Others find it by its new name. */
  rename(subject: Attached): void {
    const { attachments, endpoints } = this.#parts
    const open = this.#open.get(subject.id)
    if (open) this.#open.set(subject.id, { ...open, request: { ...open.request, name: subject.name } })
    for (const endpoint of endpoints.ofContainer(subject.id)) {
      const network = this.#networkOf(endpoint)
      const all = attachments.of(subject.id, subject.mode)
      const attachment = all.find(({ networkId }) => networkId === network.id)
      if (!attachment) continue
      const dnsNames = dnsNamesOf(subject, attachment)
      if (!isPredefined(network.name)) endpoints.change({ ...endpoint, dnsNames })
      else attachments.put(subject.id, all.with(all.indexOf(attachment), { ...attachment, dnsNames }))
    }
  }

  /** Ports lead to the network that has the way out; without one nothing is published, as in Docker. */
  async #publish(containerId: string, request: SandboxRequest, keeper: SandboxKeeper): Promise<void> {
    const { drivers, endpoints, publisher } = this.#parts
    const way = this.#wayOut(endpoints.ofContainer(containerId))?.endpoint
    if (way?.address === undefined) return
    const network = this.#networkOf(way)
    const { hostAddress = '' } = parseBridgeOptions(drivers[network.driver].optionsOf(network))
    const requests = requestedPorts(request.ports).map((one) =>
      one.hostAddress === '' ? { ...one, hostAddress } : one,
    )
    if (requests.length === 0) return
    try {
      const ports = await publisher.publish(requests, way.address, keeper)
      endpoints.change({ ...way, ports })
    } catch (cause) {
      throw internal(
        `failed to set up container networking: driver failed programming external connectivity on endpoint ${request.name} (${way.id}): ${messageOf(cause)}`,
        { cause },
      )
    }
  }

  /** Once another network has the way out.   @param left the endpoints that stay */
  async #movePorts(containerId: string, { request, keeper }: Open, left?: readonly Endpoint[]): Promise<void> {
    const { endpoints, publisher } = this.#parts
    const holder = endpoints.ofContainer(containerId).find(({ ports }) => ports.length > 0)
    const way = this.#wayOut(left ?? endpoints.ofContainer(containerId))?.endpoint
    if (!holder && way) return this.#publish(containerId, request, keeper)
    if (!holder || holder.address === undefined || holder === way) return
    if (way?.address === undefined) {
      await publisher.withdraw(holder.ports, holder.address, keeper)
    } else {
      await publisher.move(holder.ports, { from: holder.address, to: way.address, keeper })
      endpoints.change({ ...way, ports: holder.ports })
    }
    endpoints.change({ ...holder, ports: [] })
  }

  /** Whether it is on a network whose containers find each other by name. */
  #hasNames(containerId: string): boolean {
    return this.#parts.endpoints.ofContainer(containerId).some((one) => !isPredefined(this.#networkOf(one).name))
  }

  #wantedOf(containerId: string, mode: string): { network: Network; attachment: Attachment }[] {
    const attachments = this.#parts.attachments.of(containerId, mode)
    const all = attachments.length > 0 ? attachments : [this.#parts.attachments.named(mode)]
    return all.map((attachment) => {
      const network = this.#find(attachment)
      if (network) return { network, attachment }
      throw notFound(`failed to set up container networking: network ${attachment.network} not found`)
    })
  }

  /** One that was removed and made again is as good. */
  #find({ network, networkId }: Attachment): Network | undefined {
    const { networks } = this.#parts
    return (networkId !== undefined && networks.byId(networkId)) || networks.find(networkName(network))
  }

  #connect(network: Network, attachment: Attachment, subject: Attached): Endpoint {
    const { drivers, endpoints, tell } = this.#parts
    checkAttachment(network, attachment)
    const { addressed } = drivers[network.driver]
    const { ipv4Address, macAddress, gatewayPriority } = attachment
    const endpoint: Endpoint = {
      id: newId(),
      networkId: network.id,
      containerId: subject.id,
      address: addressed && ipv4Address !== undefined ? parseAddress(ipv4Address) : undefined,
      macAddress: macAddress?.toLowerCase(),
      link: addressed ? this.#freeLink(subject.id, network) : '',
      gatewayPriority,
      ports: [],
      dnsNames: isPredefined(network.name) ? [] : dnsNamesOf(subject, attachment),
    }
    return endpoints.add(endpoint, () => tell('connect', endpoint))
  }

  #freeLink(containerId: string, { settings }: Network): string {
    const { linkPrefix } = parseBridgeOptions(settings.options)
    const taken = new Set(this.#parts.endpoints.ofContainer(containerId).map(({ link }) => link))
    for (let number = 0; ; number++) if (!taken.has(`${linkPrefix}${number}`)) return `${linkPrefix}${number}`
  }

  #plan(containerId: string, first: Network | undefined): SandboxPlan {
    const [link] = this.#links(containerId)
    if (!link) return { kind: first?.driver === 'host' ? 'host' : 'none' }
    const { address, gateway, ...ends } = link
    const routes = gateway === '' ? [] : [{ to: '0.0.0.0/0', via: gateway, link: link.link }]
    return { kind: 'veth', ...ends, addresses: [address], routes }
  }

  /** In the order in which they were connected, the default route with the one that has it. */
  #links(containerId: string): SandboxLink[] {
    const endpoints = this.#parts.endpoints.ofContainer(containerId)
    const way = this.#wayOut(endpoints)
    return endpoints.flatMap((endpoint) => {
      const link = this.#linkOf(endpoint)
      return link ? [endpoint === way?.endpoint ? { ...link, gateway: way.gateway } : link] : []
    })
  }

  #linkOf(endpoint: Endpoint): SandboxLink | undefined {
    const network = this.#networkOf(endpoint)
    return this.#parts.drivers[network.driver].link(network, endpoint)
  }

  /** The highest priority, then the first name; internal networks lead nowhere. */
  #wayOut(endpoints: readonly Endpoint[]): { endpoint: Endpoint; gateway: string } | undefined {
    const [way] = endpoints
      .map((endpoint) => ({ endpoint, network: this.#networkOf(endpoint) }))
      .filter(({ endpoint, network }) => endpoint.address !== undefined && !network.settings.internal)
      .sort(
        (a, b) => b.endpoint.gatewayPriority - a.endpoint.gatewayPriority || (a.network.name < b.network.name ? -1 : 1),
      )
    if (!way?.network.ipam) return undefined
    return { endpoint: way.endpoint, gateway: formatAddress(way.network.ipam.gateway) }
  }

  async #setGateway(containerId: string, keeper: SandboxKeeper): Promise<void> {
    const way = this.#wayOut(this.#parts.endpoints.ofContainer(containerId))
    await keeper.setGateway(way?.gateway ?? '', way?.endpoint.link ?? '')
  }

  async #writeFiles(containerId: string, request: SandboxRequest): Promise<void> {
    await writeEtcFiles(request, this.#etcContext(containerId))
  }

  #etcContext(containerId: string): EtcContext {
    const endpoints = this.#parts.endpoints.ofContainer(containerId)
    const { hostGateways, networks } = this.#parts
    const bridge = networks.find('bridge')?.ipam?.gateway
    return {
      hostNetwork: endpoints.some((endpoint) => this.#networkOf(endpoint).driver === 'host'),
      addresses: endpoints.flatMap(addressesOf),
      hostGateways: hostGateways.length > 0 || bridge === undefined ? hostGateways : [formatAddress(bridge)],
      ownDns: this.#hasNames(containerId),
      files: this.#parts.files,
    }
  }

  #networkOf({ networkId }: Endpoint): Network {
    const network = this.#parts.networks.byId(networkId)
    if (!network) throw new TypeError(`an endpoint names the unknown network ${networkId}`)
    return network
  }
}

function addressesOf({ address }: Endpoint): string[] {
  return address === undefined ? [] : [formatAddress(address)]
}

function ignoreMissing(error: unknown): void {
  if (!isKind(error, 'not-found')) throw error
}
