import { readFile } from 'node:fs/promises'
import { messageOf, systemCode } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { HostFiles } from '../etc-files.ts'
import { fallbackNameservers, parseResolvConf } from '../resolv-conf.ts'
import type { SandboxKeeper, SandboxRequest } from '../sandbox.ts'
import { Forwarder } from './forwarder.ts'
import { closeDescriptors, DnsServer } from './server.ts'
import { Zone, type ZoneParts } from './zone.ts'

export interface DnsServersOptions {
  readonly zone: ZoneParts
  readonly files: HostFiles
  readonly log: Logger
}

/** How long the host's nameservers are taken for what they were. */
const freshMs = 5000

/** The DNS servers of all containers that have one. */
export class DnsServers implements AsyncDisposable {
  readonly #options: DnsServersOptions
  readonly #servers = new Map<string, DnsServer>()
  #host: { readonly until: number; readonly servers: Promise<readonly string[]> } | undefined

  constructor(options: DnsServersOptions) {
    this.#options = options
  }

  /** Serves a sandbox; nothing when it is served already. */
  async open(containerId: string, { dns }: Pick<SandboxRequest, 'dns'>, keeper: SandboxKeeper): Promise<void> {
    if (this.#servers.has(containerId)) return
    const sockets = await keeper.openDns()
    if (this.#servers.has(containerId)) return closeDescriptors(sockets)
    const { zone, log } = this.#options
    const upstreams = async () => (dns.length > 0 ? dns : await this.#hostServers())
    const server = new DnsServer({
      ...sockets,
      zone: new Zone(zone, containerId),
      forwarder: new Forwarder({ upstreams }),
      report: (error) => log.warn({ container: containerId, error: messageOf(error) }, 'a DNS server had a failure'),
    })
    this.#servers.set(containerId, server)
  }

  async close(containerId: string): Promise<void> {
    const server = this.#servers.get(containerId)
    this.#servers.delete(containerId)
    await server?.[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#servers.keys()].map((id) => this.close(id)))
  }

  /** Those of the host itself, also on its loopback: they are asked from there. */
  #hostServers(): Promise<readonly string[]> {
    const now = performance.now()
    if (!this.#host || this.#host.until < now) this.#host = { until: now + freshMs, servers: this.#readHostServers() }
    return this.#host.servers
  }

  async #readHostServers(): Promise<readonly string[]> {
    try {
      const { nameservers } = parseResolvConf(await readFile(this.#options.files.resolvConf, 'utf8'))
      return nameservers.length > 0 ? nameservers : fallbackNameservers
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return fallbackNameservers
      throw error
    }
  }
}
