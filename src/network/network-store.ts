import type { StatementSync } from 'node:sqlite'
import { dataLoss } from '#base/errors.ts'
import type { Endpoint } from './endpoint.ts'
import { formatAddress, formatSubnet, parseAddress, parseSubnet } from './ipam/subnet.ts'
import { type DriverName, type Network, predefined } from './network.ts'

/** The part of #state/database.ts that rows need. */
export interface NetworkDatabase {
  prepare(sql: string, options?: { bigints?: boolean }): StatementSync
  transaction<T>(work: () => T): T
}

/** Rows of networks, endpoints and of what we changed on the host. */
export class NetworkStore {
  readonly transaction: NetworkDatabase['transaction']
  readonly #networks: StatementSync
  readonly #putNetwork: StatementSync
  readonly #endpoints: StatementSync
  readonly #addEndpoint: StatementSync
  readonly #deleteEndpoint: StatementSync
  readonly #hostValue: StatementSync
  readonly #putHostValue: StatementSync
  readonly #deleteHostValue: StatementSync

  constructor(database: NetworkDatabase) {
    this.transaction = (work) => database.transaction(work)
    this.#networks = database.prepare('SELECT * FROM networks ORDER BY name', { bigints: true })
    this.#putNetwork = database.prepare(
      `INSERT INTO networks (id, name, driver, created_at, subnet, gateway) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET subnet = excluded.subnet, gateway = excluded.gateway`,
    )
    this.#endpoints = database.prepare('SELECT * FROM endpoints')
    this.#addEndpoint = database.prepare(
      'INSERT INTO endpoints (id, network_id, container_id, address) VALUES (?, ?, ?, ?)',
    )
    this.#deleteEndpoint = database.prepare('DELETE FROM endpoints WHERE id = ?')
    this.#hostValue = database.prepare('SELECT value FROM network_host WHERE name = ?')
    this.#putHostValue = database.prepare(
      'INSERT INTO network_host (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    )
    this.#deleteHostValue = database.prepare('DELETE FROM network_host WHERE name = ?')
  }

  networks(): Network[] {
    return this.#networks.all().map((row) => ({
      id: text(row.id),
      name: text(row.name),
      driver: driverName(row.driver),
      createdAt: BigInt(row.created_at as bigint),
      ipam:
        row.subnet === null
          ? undefined
          : { subnet: parseSubnet(text(row.subnet)), gateway: parseAddress(text(row.gateway)) },
    }))
  }

  /** Inserts it, or changes its addresses. */
  putNetwork({ id, name, driver, createdAt, ipam }: Network): void {
    const subnet = ipam ? formatSubnet(ipam.subnet) : null
    const gateway = ipam ? formatAddress(ipam.gateway) : null
    this.#putNetwork.run(id, name, driver, createdAt, subnet, gateway)
  }

  endpoints(): Endpoint[] {
    return this.#endpoints.all().map((row) => ({
      id: text(row.id),
      networkId: text(row.network_id),
      containerId: text(row.container_id),
      address: row.address === null ? undefined : Number(row.address),
    }))
  }

  addEndpoint({ id, networkId, containerId, address }: Endpoint): void {
    this.#addEndpoint.run(id, networkId, containerId, address ?? null)
  }

  deleteEndpoint(id: string): void {
    this.#deleteEndpoint.run(id)
  }

  hostValue(name: string): string | undefined {
    const row = this.#hostValue.get(name)
    return row && text(row.value)
  }

  /** `undefined` forgets it. */
  setHostValue(name: string, value: string | undefined): void {
    if (value === undefined) this.#deleteHostValue.run(name)
    else this.#putHostValue.run(name, value)
  }
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw dataLoss('a row of the network tables holds no text where it should')
  return value
}

function driverName(value: unknown): DriverName {
  const known = predefined.find(({ driver }) => driver === value)
  if (!known) throw dataLoss(`a network has the driver '${String(value)}', which this berth does not know`)
  return known.driver
}
