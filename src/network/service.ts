import { type Clock, systemClock } from '#base/clock.ts'
import { forbidden, internal, invalid, isKind, messageOf } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { Firewall } from '#runtime/firewall.ts'
import type { Attached, Attachment } from './attachment.ts'
import { AttachmentTable, networkName } from './attachment-table.ts'
import { checkAttachment } from './check-attachment.ts'
import { bridgeDriver } from './drivers/bridge.ts'
import { chooseBridge } from './drivers/bridge-name.ts'
import type { HostLinks, NetworkDriver } from './drivers/driver.ts'
import { hostDriver } from './drivers/host.ts'
import { noneDriver } from './drivers/none.ts'
import { attachedView, dnsNamesOf, type Endpoint, type EndpointView, unattached } from './endpoint.ts'
import { EndpointTable } from './endpoint-table.ts'
import { type HostFiles, hostFiles } from './etc-files.ts'
import { HostFirewall, tableOf } from './firewall/host-firewall.ts'
import { defaultPools, type Pool } from './ipam/pool.ts'
import { type DriverName, isPredefined, type Network } from './network.ts'
import { type Publish, tell } from './network-events.ts'
import { type NetworkDatabase, NetworkStore } from './network-store.ts'
import { NetworkTable } from './network-table.ts'
import type { PublishedPort } from './ports/host-ports.ts'
import { Publisher } from './ports/publisher.ts'
import { openPredefined } from './predefined.ts'
import { NetworkRegistry } from './registry.ts'
import type { SandboxKeeper, SandboxPlan, SandboxRequest } from './sandbox.ts'
import { Sandboxes } from './sandboxes.ts'

export interface NetworkConfig {
  /** Its address with prefix length; undefined: chosen from the default pools. */
  readonly bip: string | undefined
  readonly mtu: number
  /** Undefined: Docker's. */
  readonly pools?: readonly Pool[] | undefined
  /** What `host-gateway` means; empty: the default bridge's own address. */
  readonly hostGateways?: readonly string[]
  /** Where the default bridge publishes ports that name no address. */
  readonly publishAddress?: string
}

export interface NetworkOptions {
  readonly config: NetworkConfig
  readonly database: NetworkDatabase
  readonly links: HostLinks
  readonly firewall: Firewall
  readonly log: Logger
  /** Called within the transaction that makes or removes an endpoint. */
  readonly publish: Publish
  readonly files?: HostFiles
  readonly clock?: Clock
}

/** Networks, the attachments of containers and the endpoints of running ones. The rows are the truth; what is in memory follows them. */
export class NetworkService implements AsyncDisposable {
  /** What is done to networks themselves. */
  readonly registry: NetworkRegistry
  readonly #store: NetworkStore
  readonly #drivers: Readonly<Record<DriverName, NetworkDriver>>
  readonly #options: NetworkOptions
  readonly #networks: NetworkTable
  readonly #endpoints: EndpointTable
  readonly #attachments: AttachmentTable
  readonly #sandboxes: Sandboxes
  readonly #firewall: HostFirewall

  /** Opens the tables; touches nothing on the host. */
  constructor(options: NetworkOptions) {
    const { config, database, links, firewall, log, files = hostFiles, clock = systemClock } = options
    this.#options = options
    this.#store = new NetworkStore(database)
    const memory = {
      get: (name: string) => this.#store.hostValue(name),
      set: (name: string, value: string | undefined) => this.#store.setHostValue(name, value),
    }
    const bridge = chooseBridge(links, memory)
    const hostFirewall = new HostFirewall({ table: tableOf(bridge), firewall, memory, log, clock })
    this.#firewall = hostFirewall
    this.#drivers = {
      bridge: bridgeDriver({ ...config, bridge, links, firewall: hostFirewall, memory, log }),
      host: hostDriver,
      null: noneDriver,
    }
    const publisher = new Publisher(hostFirewall)
    const pools = config.pools ?? defaultPools
    openPredefined(this.#store, { bridge, bip: config.bip, pools, links, clock, log })
    this.#networks = new NetworkTable(this.#store.networks())
    this.#endpoints = new EndpointTable(this.#store, this.#networks.all())
    this.#attachments = new AttachmentTable(this.#store, this.#networks)
    this.registry = new NetworkRegistry({
      store: this.#store,
      networks: this.#networks,
      endpoints: this.#endpoints,
      drivers: this.#drivers,
      links,
      pools,
      clock,
      publish: options.publish,
    })
    this.#sandboxes = new Sandboxes({
      networks: this.#networks,
      endpoints: this.#endpoints,
      attachments: this.#attachments,
      drivers: this.#drivers,
      publisher,
      files,
      hostGateways: config.hostGateways ?? [],
      log,
      tell: (action, endpoint) => this.#tellEndpoint(action, endpoint),
    })
    for (const network of this.#inUse()) this.#drivers[network.driver].adopt(network)
    for (const { ports, address } of this.#endpoints.all()) {
      if (address !== undefined) publisher.adopt(ports, address)
    }
  }

  // ---- attachments ----

  /**
   * At create: the networks that a container of this mode will join, with what is wanted of each. A network that is not there is
   * an error of the start: by then it may be, and a client takes a 404 of create for a missing image.
   * @throws `invalid` in Docker's words
   */
  planAttachments(mode: string, wanted: readonly Attachment[]): Attachment[] {
    if (mode.startsWith('container:')) {
      if (wanted.length === 0) return []
      throw invalid('conflicting options: container type network cannot be connected to other networks')
    }
    const own = wanted.find(({ network }) => this.#isSame(network, mode))
    const first = own ? { ...own, network: networkName(mode) } : this.#attachments.named(mode)
    const all = [first, ...wanted.filter((one) => one !== own)].map((one) => this.#resolved(one))
    const names = all.map(({ network }) => network)
    if (names.length > 1 && names.some((name) => name === 'host' || name === 'none')) {
      throw invalid(cannotShare(names.includes('host') ? 'host' : 'none'))
    }
    for (const attachment of all) {
      const network = this.#networks.find(attachment.network)
      if (!network) continue
      try {
        checkAttachment(network, attachment)
      } catch (error) {
        if (!isKind(error, 'invalid')) throw error
        throw invalid(`invalid config for network ${attachment.network}: ${messageOf(error)}`)
      }
    }
    return all
  }

  /** In the transaction that makes the container. */
  keepAttachments(containerId: string, attachments: readonly Attachment[]): void {
    this.#attachments.put(containerId, attachments)
  }

  /** In the transaction that removes it. */
  forgetContainer(containerId: string): void {
    this.#attachments.delete(containerId)
  }

  /** @throws `not-found`, `forbidden`, `invalid` in Docker's words */
  async connect(name: string, subject: Attached, { wanted, running }: ConnectOptions): Promise<void> {
    const network = this.#networks.get(name)
    const before = this.#attachments.of(subject.id, subject.mode)
    checkMayConnect(network, subject, before)
    const attachment = { ...wanted, network: network.name, networkId: network.id }
    checkAttachment(network, attachment)
    if (before.some(({ networkId }) => networkId === network.id)) {
      throw forbidden(`endpoint with name ${subject.name} already exists in network ${network.name}`)
    }
    this.#attachments.put(subject.id, [...before, attachment])
    if (!running) return
    try {
      await this.#sandboxes.connect(subject, network, attachment)
    } catch (error) {
      this.#attachments.put(subject.id, before)
      throw error
    }
  }

  /** @throws `not-found`, `invalid`, `internal` in Docker's words */
  async disconnect(name: string, subject: Attached): Promise<void> {
    const before = this.#attachments.of(subject.id, subject.mode)
    const network = this.#networks.find(name)
    const leaving = before.find((one) => (network ? one.networkId === network.id : one.network === name))
    if (!leaving && !network) this.#networks.get(name)
    if (!leaving) throw internal(`container ${subject.id} is not connected to network ${network?.name ?? name}`)
    if (leaving.network === 'host') {
      throw invalid('cannot disconnect container from host network - container was created in host network mode')
    }
    if (network) await this.#sandboxes.disconnect(subject.id, network)
    this.#attachments.put(
      subject.id,
      before.filter((one) => one !== leaving),
    )
  }

  /** What inspect shows: all attachments, with addresses where the container runs. */
  endpoints(subject: Attached, { isOpen } = { isOpen: true }): readonly EndpointView[] {
    const active = isOpen ? this.#endpoints.ofContainer(subject.id) : []
    return this.#attachments.of(subject.id, subject.mode).map((attachment) => {
      const network = attachment.networkId === undefined ? undefined : this.#networks.byId(attachment.networkId)
      const endpoint = network && active.find(({ networkId }) => networkId === network.id)
      const hasNames = !isPredefined(attachment.network)
      const names = hasNames ? dnsNamesOf(subject, attachment) : attachment.dnsNames
      const view = { containerId: subject.id, hasNames, ...unattached(attachment, names) }
      return network && endpoint ? { ...view, ...attachedView(network, endpoint) } : view
    })
  }

  /** Ports of the host that lead to a running container. */
  publishedPorts(containerId: string): readonly PublishedPort[] {
    return this.#endpoints.ofContainer(containerId).flatMap(({ ports }) => ports)
  }

  // ---- sandboxes ----

  /** Allocates the endpoints of a container that is about to start and writes its files below /etc. */
  openSandbox(containerId: string, request: SandboxRequest, signal?: AbortSignal): Promise<SandboxPlan> {
    return this.#sandboxes.open(containerId, request, signal)
  }

  /** Between the making and the start of its process: what a plan does not hold. */
  furnishSandbox(containerId: string, request: SandboxRequest, keeper: SandboxKeeper): Promise<void> {
    return this.#sandboxes.furnish(containerId, request, keeper)
  }

  /** At boot, of a container that has lived on. */
  adoptSandbox(containerId: string, request: SandboxRequest, keeper: SandboxKeeper): Promise<void> {
    return this.#sandboxes.adopt(containerId, request, keeper)
  }

  /** Gives the addresses back. Closing what is closed is nothing. */
  closeSandbox(containerId: string): Promise<void> {
    return this.#sandboxes.close(containerId)
  }

  rename(subject: Attached): void {
    this.#sandboxes.rename(subject)
  }

  /** At boot: closes the sandboxes of all containers that are not alive, and makes anew what living ones miss on the host. */
  async reconcile({
    known,
    alive,
  }: {
    readonly known: ReadonlySet<string>
    readonly alive: ReadonlySet<string>
  }): Promise<void> {
    this.#store.transaction(() => this.#attachments.retain(known))
    for (const containerId of this.#endpoints.containers()) {
      if (!alive.has(containerId)) await this.closeSandbox(containerId)
    }
    for (const network of this.#inUse()) {
      try {
        await this.#drivers[network.driver].prepare(network)
      } catch (error) {
        this.#options.log.warn({ network: network.name, error: messageOf(error) }, 'a network in use is not in order')
      }
    }
  }

  /** Leaves the host as it was before the first container, or as containers need it that live on without us. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sandboxes[Symbol.asyncDispose]()
    this.#firewall[Symbol.dispose]()
    if (this.#endpoints.all().some(({ address }) => address !== undefined)) return
    try {
      for (const driver of Object.values(this.#drivers)) {
        await driver.removeHostState(this.#networks.all().filter((one) => this.#drivers[one.driver] === driver))
      }
    } catch (error) {
      this.#options.log.warn({ error: messageOf(error) }, 'the bridge or its rules are still on the host')
    }
  }

  /** Networks whose endpoints have addresses. */
  #inUse(): Network[] {
    const ids = new Set(this.#endpoints.all().map(({ networkId }) => networkId))
    return this.#networks.all().filter(({ id, driver }) => ids.has(id) && this.#drivers[driver].addressed)
  }

  #resolved(attachment: Attachment): Attachment {
    const network = this.#networks.find(attachment.network)
    return network ? { ...attachment, network: network.name, networkId: network.id } : attachment
  }

  #isSame(name: string, mode: string): boolean {
    const [a, b] = [networkName(name), networkName(mode)]
    return a === b || (this.#networks.find(a) !== undefined && this.#networks.find(a) === this.#networks.find(b))
  }

  #tellEndpoint(action: 'connect' | 'disconnect', { networkId, containerId }: Endpoint): void {
    const network = this.#networks.byId(networkId)
    if (network) tell(this.#options.publish, action, network, { container: containerId })
  }
}

export interface ConnectOptions {
  readonly wanted: Attachment
  /** Its sandbox stands: it is joined at once, else at the next start. */
  readonly running: boolean
}

function checkMayConnect(network: Network, { mode }: Attached, before: readonly Attachment[]): void {
  if (mode.startsWith('container:') || mode === 'host') {
    throw invalid(
      'container sharing network namespace with another container or host cannot be connected to any other network',
    )
  }
  if (network.driver === 'host') {
    throw invalid('cannot connect container to host network - container must be created in host network mode')
  }
  if (network.driver === 'null' || before.some((one) => one.network === 'none')) throw invalid(cannotShare('none'))
}

function cannotShare(mode: 'host' | 'none'): string {
  if (mode === 'none') {
    return 'container cannot be connected to multiple networks with one of the networks in private (none) mode'
  }
  return 'container sharing network namespace with another container or host cannot be connected to any other network'
}
