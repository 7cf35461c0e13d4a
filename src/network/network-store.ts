import type { StatementSync } from 'node:sqlite'
import { dataLoss } from '#base/errors.ts'
import type { Attachment } from './attachment.ts'
import type { Endpoint } from './endpoint.ts'
import { formatAddress, formatSubnet, parseAddress, parseSubnet } from './ipam/subnet.ts'
import { type DriverName, type Network, type NetworkSettings, noSettings, predefined } from './network.ts'

/** The part of #state/database.ts that rows need. */
export interface NetworkDatabase {
  prepare(sql: string, options?: { bigints?: boolean }): StatementSync
  transaction<T>(work: () => T): T
}

type EndpointSettings = Omit<Endpoint, 'id' | 'networkId' | 'containerId' | 'address'>

/** Rows of networks, attachments, endpoints and of what we changed on the host. */
export class NetworkStore {
  readonly transaction: NetworkDatabase['transaction']
  readonly #prepare: (sql: string, options?: { bigints?: boolean }) => StatementSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: NetworkDatabase) {
    this.transaction = (work) => database.transaction(work)
    this.#prepare = (sql, options) => database.prepare(sql, options)
  }

  networks(): Network[] {
    return this.#prepare('SELECT * FROM networks ORDER BY name', { bigints: true })
      .all()
      .map((row) => ({
        id: text(row.id),
        name: text(row.name),
        driver: driverName(row.driver),
        createdAt: BigInt(row.created_at as bigint),
        ipam:
          row.subnet === null
            ? undefined
            : { subnet: parseSubnet(text(row.subnet)), gateway: parseAddress(text(row.gateway)) },
        settings: row.settings === null ? noSettings : { ...noSettings, ...parse<NetworkSettings>(row.settings) },
      }))
  }

  /** Inserts it, or changes its addresses. */
  putNetwork({ id, name, driver, createdAt, ipam, settings }: Network): void {
    const subnet = ipam ? formatSubnet(ipam.subnet) : null
    const gateway = ipam ? formatAddress(ipam.gateway) : null
    this.#statement(
      `INSERT INTO networks (id, name, driver, created_at, subnet, gateway, settings) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET subnet = excluded.subnet, gateway = excluded.gateway`,
    ).run(id, name, driver, createdAt, subnet, gateway, JSON.stringify(settings))
  }

  deleteNetwork(id: string): void {
    this.#statement('DELETE FROM networks WHERE id = ?').run(id)
  }

  attachments(): [containerId: string, attachments: readonly Attachment[]][] {
    return this.#prepare('SELECT * FROM attachments')
      .all()
      .map((row) => [text(row.container_id), parse<Attachment[]>(row.settings)])
  }

  putAttachments(containerId: string, attachments: readonly Attachment[]): void {
    this.#statement(
      'INSERT INTO attachments VALUES (?, ?) ON CONFLICT (container_id) DO UPDATE SET settings = excluded.settings',
    ).run(containerId, JSON.stringify(attachments))
  }

  deleteAttachments(containerId: string): void {
    this.#statement('DELETE FROM attachments WHERE container_id = ?').run(containerId)
  }

  endpoints(): Endpoint[] {
    return this.#prepare('SELECT * FROM endpoints')
      .all()
      .map((row) => ({
        macAddress: undefined,
        link: 'eth0',
        gatewayPriority: 0,
        ports: [],
        dnsNames: [],
        ...(row.settings !== null && parse<EndpointSettings>(row.settings)),
        id: text(row.id),
        networkId: text(row.network_id),
        containerId: text(row.container_id),
        address: row.address === null ? undefined : Number(row.address),
      }))
  }

  /** Inserts it, or changes all but its address. */
  putEndpoint({ id, networkId, containerId, address, ...settings }: Endpoint): void {
    this.#statement(
      `INSERT INTO endpoints (id, network_id, container_id, address, settings) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET settings = excluded.settings`,
    ).run(id, networkId, containerId, address ?? null, JSON.stringify(settings satisfies EndpointSettings))
  }

  deleteEndpoint(id: string): void {
    this.#statement('DELETE FROM endpoints WHERE id = ?').run(id)
  }

  hostValue(name: string): string | undefined {
    const row = this.#statement('SELECT value FROM network_host WHERE name = ?').get(name)
    return row && text(row.value)
  }

  /** `undefined` forgets it. */
  setHostValue(name: string, value: string | undefined): void {
    if (value === undefined) this.#statement('DELETE FROM network_host WHERE name = ?').run(name)
    else {
      this.#statement(
        'INSERT INTO network_host (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      ).run(name, value)
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    const made = this.#prepare(sql)
    this.#statements.set(sql, made)
    return made
  }
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw dataLoss('a row of the network tables holds no text where it should')
  return value
}

function parse<T>(value: unknown): T {
  try {
    return JSON.parse(text(value)) as T
  } catch (cause) {
    throw dataLoss('a row of the network tables holds no JSON where it should', { cause })
  }
}

function driverName(value: unknown): DriverName {
  const known = predefined.find(({ driver }) => driver === value)
  if (!known) throw dataLoss(`a network has the driver '${String(value)}', which this berth does not know`)
  return known.driver
}
