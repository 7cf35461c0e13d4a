import type { StatementSync } from 'node:sqlite'
import { dataLoss } from '#base/errors.ts'
import type { Volume } from './volume.ts'

/** The part of #state/database.ts that rows need. */
export interface VolumeDatabase {
  prepare(sql: string, options?: { bigints?: boolean }): StatementSync
  transaction<T>(work: () => T): T
  afterCommit(work: () => void): void
  sync(): Promise<void>
}

/**
 * - `making`: its container is not on record yet. A daemon that is killed then leaves it to the next one to remove.
 * - `removing`: everybody was told that it is gone; its data is on the way out.
 */
export type VolumeState = 'making' | 'ready' | 'removing'

export interface VolumeRow {
  readonly volume: Volume
  readonly state: VolumeState
}

/** Rows of volumes. What is a directory without a row is nobody's, and is left alone. */
export class VolumeStore {
  readonly transaction: VolumeDatabase['transaction']
  readonly afterCommit: VolumeDatabase['afterCommit']
  readonly sync: VolumeDatabase['sync']
  readonly #all: StatementSync
  readonly #insert: StatementSync
  readonly #setState: StatementSync
  readonly #delete: StatementSync

  constructor(database: VolumeDatabase) {
    this.transaction = (work) => database.transaction(work)
    this.afterCommit = (work) => database.afterCommit(work)
    this.sync = () => database.sync()
    this.#all = database.prepare('SELECT * FROM volumes ORDER BY name', { bigints: true })
    this.#insert = database.prepare(
      'INSERT INTO volumes (name, driver, options, labels, created_at, state) VALUES (?, ?, ?, ?, ?, ?)',
    )
    this.#setState = database.prepare('UPDATE volumes SET state = ? WHERE name = ?')
    this.#delete = database.prepare('DELETE FROM volumes WHERE name = ?')
  }

  all(): VolumeRow[] {
    return this.#all.all().map((row) => ({
      volume: {
        name: text(row.name),
        driver: text(row.driver),
        options: words(row.options),
        labels: words(row.labels),
        createdAt: row.created_at === null ? undefined : BigInt(row.created_at as bigint),
      },
      state: stateOf(row.state),
    }))
  }

  insert({ name, driver, options, labels, createdAt }: Volume, state: VolumeState): void {
    this.#insert.run(name, driver, jsonOrNull(options), jsonOrNull(labels), createdAt ?? null, state)
  }

  setState(name: string, state: VolumeState): void {
    this.#setState.run(state, name)
  }

  delete(name: string): void {
    this.#delete.run(name)
  }
}

function jsonOrNull(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value)
}

function words(value: unknown): Record<string, string> | undefined {
  return value === null ? undefined : (JSON.parse(text(value)) as Record<string, string>)
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw dataLoss('a row of the volumes holds no text where it should')
  return value
}

function stateOf(value: unknown): VolumeState {
  if (value === 'making' || value === 'ready' || value === 'removing') return value
  throw dataLoss(`a volume has the state '${String(value)}', which this berth does not know`)
}
