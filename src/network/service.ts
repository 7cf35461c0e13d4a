import { throwIfAborted } from '#base/abort.ts'
import { type Clock, systemClock } from '#base/clock.ts'
import { invalid, messageOf, notFound, notImplemented } from '#base/errors.ts'
import type { Filters } from '#base/filters.ts'
import { newId } from '#base/ids.ts'
import type { Logger } from '#base/log.ts'
import type { EngineEvent } from '#events/event.ts'
import { bridgeDriver } from './drivers/bridge.ts'
import { chooseBridge } from './drivers/bridge-name.ts'
import type { HostLinks, NetworkDriver } from './drivers/driver.ts'
import { hostDriver } from './drivers/host.ts'
import { noneDriver } from './drivers/none.ts'
import { type Endpoint, type EndpointView, endpointView, unattached } from './endpoint.ts'
import { type HostFiles, hostFiles, writeEtcFiles } from './etc-files.ts'
import { type Firewall, nftables } from './firewall/nftables.ts'
import { AddressAllocator } from './ipam/allocator.ts'
import { formatAddress } from './ipam/subnet.ts'
import { type DriverName, type Network, type NetworkView, networkView } from './network.ts'
import { type NetworkDatabase, NetworkStore } from './network-store.ts'
import { openPredefined } from './predefined.ts'
import type { SandboxPlan, SandboxRequest } from './sandbox.ts'

export interface NetworkConfig {
  /** Its address with prefix length; undefined: chosen from the default pools. */
  readonly bip: string | undefined
  readonly mtu: number
}

export interface NetworkOptions {
  readonly config: NetworkConfig
  readonly database: NetworkDatabase
  readonly links: HostLinks
  readonly log: Logger
  /** Called within the transaction that makes or removes an endpoint. */
  readonly publish: (event: Omit<EngineEvent, 'time'>) => void
  readonly firewall?: Firewall
  readonly files?: HostFiles
  readonly clock?: Clock
}

/** Networks and the endpoints of running containers. The rows are the truth; what is in memory follows them. */
export class NetworkService implements AsyncDisposable {
  readonly #store: NetworkStore
  readonly #drivers: Readonly<Record<DriverName, NetworkDriver>>
  readonly #publish: NetworkOptions['publish']
  readonly #files: HostFiles
  readonly #log: Logger
  readonly #networks: Map<string, Network>
  readonly #endpoints = new Map<string, readonly Endpoint[]>()
  readonly #allocators = new Map<string, AddressAllocator>()

  /** Opens the tables; touches nothing on the host. */
  constructor(options: NetworkOptions) {
    const {
      config,
      database,
      links,
      log,
      publish,
      firewall = nftables,
      files = hostFiles,
      clock = systemClock,
    } = options
    this.#store = new NetworkStore(database)
    this.#publish = publish
    this.#files = files
    this.#log = log
    const memory = {
      get: (name: string) => this.#store.hostValue(name),
      set: (name: string, value: string | undefined) => this.#store.setHostValue(name, value),
    }
    const { bip, mtu } = config
    const bridge = chooseBridge(links, memory)
    this.#drivers = {
      bridge: bridgeDriver({ bridge, mtu, links, firewall, memory, log }),
      host: hostDriver,
      null: noneDriver,
    }
    const networks = openPredefined(this.#store, { bridge, bip, links, clock, log })
    this.#networks = new Map(networks.map((network) => [network.id, network]))
    this.#openAllocators()
  }

  /**
   * At create. A network that is not there is an error of the start: by then it may be, and a client takes a 404 of create for
   * a missing image.
   * @throws `not-implemented`
   */
  checkMode(mode: string): void {
    if (!mode.startsWith('container:')) return
    throw notImplemented(`network mode '${mode}' (another container's network stack) is not implemented yet`)
  }

  /** Allocates the endpoint of a container that is about to start and writes its files below /etc. */
  async openSandbox(containerId: string, request: SandboxRequest, signal?: AbortSignal): Promise<SandboxPlan> {
    const network = this.#resolve(request.mode)
    const driver = this.#drivers[network.driver]
    throwIfAborted(signal)
    await driver.prepare(network)
    throwIfAborted(signal)
    // An endpoint of an earlier run, which nobody closed, must not lend its link's name: the kernel may still be taking it down.
    await this.closeSandbox(containerId)
    const endpoint = this.#connect(network, containerId)
    try {
      await writeEtcFiles(request, {
        hostNetwork: network.driver === 'host',
        address: endpoint.address === undefined ? undefined : formatAddress(endpoint.address),
        hostGateway: this.#hostGateway(),
        files: this.#files,
      })
    } catch (error) {
      await this.closeSandbox(containerId)
      throw error
    }
    return driver.plan(network, endpoint)
  }

  /** Gives the addresses back. Closing what is closed is nothing. */
  async closeSandbox(containerId: string): Promise<void> {
    const endpoints = this.#endpoints.get(containerId)
    if (!endpoints) return
    this.#store.transaction(() => {
      for (const endpoint of endpoints) {
        this.#store.deleteEndpoint(endpoint.id)
        this.#tell('disconnect', endpoint)
      }
    })
    this.#endpoints.delete(containerId)
    for (const { networkId, address } of endpoints) {
      if (address !== undefined) this.#allocators.get(networkId)?.release(address)
    }
  }

  /** At boot: closes the sandboxes of all containers that are not alive. */
  async reconcile(alive: ReadonlySet<string>): Promise<void> {
    for (const containerId of [...this.#endpoints.keys()]) {
      if (!alive.has(containerId)) await this.closeSandbox(containerId)
    }
  }

  endpoints(containerId: string, mode: string): readonly EndpointView[] {
    const endpoints = this.#endpoints.get(containerId)
    if (endpoints) return endpoints.map((endpoint) => endpointView(this.#networkOf(endpoint), endpoint))
    const network = this.#find(networkName(mode))
    return network ? [unattached(network)] : []
  }

  /** Filters: driver, id, name, label, scope, type, dangling.   @throws `invalid` for others */
  list(filters: Filters): NetworkView[] {
    filters.allowOnly(['driver', 'id', 'name', 'label', 'scope', 'type', 'dangling'])
    const type = filters.get('type').find((value) => value !== 'builtin' && value !== 'custom')
    if (type !== undefined) throw invalid(`invalid filter: 'type'='${type}'`)
    // All networks of today are predefined ones: they are builtin, and never dangling.
    if (filters.boolean('dangling') === true) return []
    return [...this.#networks.values()]
      .filter(
        ({ id, name, driver }) =>
          filters.matchesExactly('driver', driver) &&
          (!filters.has('id') || filters.get('id').some((prefix) => id.startsWith(prefix))) &&
          filters.matches('name', name) &&
          filters.matchesLabels({}) &&
          filters.matchesExactly('scope', 'local') &&
          filters.matchesExactly('type', 'builtin'),
      )
      .map((network) => this.#view(network))
  }

  /** By name, id or unambiguous id prefix.   @throws `not-found` */
  inspect(name: string): NetworkView {
    return this.#view(this.#get(name))
  }

  /** Leaves the host as it was before the first container, or as containers need it that live on without us. */
  async [Symbol.asyncDispose](): Promise<void> {
    const inUse = [...this.#endpoints.values()].flat().some(({ address }) => address !== undefined)
    if (inUse) return
    try {
      for (const driver of Object.values(this.#drivers)) await driver.removeHostState()
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, 'the bridge or its rules are still on the host')
    }
  }

  #openAllocators(): void {
    for (const { id, ipam } of this.#networks.values()) {
      if (!ipam) continue
      const allocator = new AddressAllocator(ipam.subnet)
      allocator.reserve(ipam.gateway)
      this.#allocators.set(id, allocator)
    }
    for (const endpoint of this.#store.endpoints()) {
      this.#remember(endpoint)
      if (endpoint.address !== undefined) this.#allocators.get(endpoint.networkId)?.reserve(endpoint.address)
    }
  }

  #connect(network: Network, containerId: string): Endpoint {
    const allocator = this.#drivers[network.driver].addressed ? this.#allocators.get(network.id) : undefined
    const endpoint = { id: newId(), networkId: network.id, containerId, address: allocator?.allocate() }
    try {
      this.#store.transaction(() => {
        this.#store.addEndpoint(endpoint)
        this.#tell('connect', endpoint)
      })
    } catch (error) {
      if (endpoint.address !== undefined) allocator?.release(endpoint.address)
      throw error
    }
    this.#remember(endpoint)
    return endpoint
  }

  #remember(endpoint: Endpoint): void {
    this.#endpoints.set(endpoint.containerId, [...(this.#endpoints.get(endpoint.containerId) ?? []), endpoint])
  }

  #tell(action: 'connect' | 'disconnect', endpoint: Endpoint): void {
    const { id, name, driver } = this.#networkOf(endpoint)
    this.#publish({
      type: 'network',
      action,
      actor: { id, attributes: { container: endpoint.containerId, name, type: driver } },
    })
  }

  #resolve(mode: string): Network {
    this.checkMode(mode)
    const name = networkName(mode)
    const network = this.#find(name)
    if (!network) throw notFound(`failed to set up container networking: network ${name} not found`)
    return network
  }

  #get(name: string): Network {
    const network = this.#find(name)
    if (!network) throw notFound(`network ${name} not found`)
    return network
  }

  #find(name: string): Network | undefined {
    const all = [...this.#networks.values()]
    const exact = all.find((network) => network.name === name) ?? this.#networks.get(name)
    if (exact || name === '') return exact
    const byPrefix = all.filter(({ id }) => id.startsWith(name))
    return byPrefix.length === 1 ? byPrefix[0] : undefined
  }

  #networkOf({ networkId }: Endpoint): Network {
    const network = this.#networks.get(networkId)
    if (!network) throw new TypeError(`an endpoint names the unknown network ${networkId}`)
    return network
  }

  #hostGateway(): string | undefined {
    const gateway = this.#find('bridge')?.ipam?.gateway
    return gateway === undefined ? undefined : formatAddress(gateway)
  }

  #view(network: Network): NetworkView {
    const attached = [...this.#endpoints.values()].flat().filter(({ networkId }) => networkId === network.id)
    return networkView(network, attached, this.#drivers[network.driver].options)
  }
}

function networkName(mode: string): string {
  return mode === 'default' || mode === '' ? 'bridge' : mode
}
