import type { StatementSync } from 'node:sqlite'
import { conflict, invalid, notFound } from '#base/errors.ts'
import { isFullId } from '#base/ids.ts'
import type { Database } from '#state/database.ts'
import type { Container, ContainerState, Health } from './container.ts'
import { toPlainMount } from './mounts/plain-mount.ts'

type Settings = Omit<Container, 'id' | 'name' | 'createdAt' | 'imageId' | 'state' | 'restartCount'>

/** Every container's record: in memory for lookups, in the database for life. Changes belong into `database.transaction`. */
export class ContainerStore {
  readonly database: Database
  readonly #byId = new Map<string, Container>()
  readonly #idOfName = new Map<string, string>()
  readonly #insert: StatementSync
  readonly #update: StatementSync
  readonly #delete: StatementSync

  constructor(database: Database) {
    this.database = database
    this.#insert = database.prepare('INSERT INTO containers VALUES (?, ?, ?, ?, ?, ?)')
    this.#update = database.prepare('UPDATE containers SET name = ?, state = ? WHERE id = ?')
    this.#delete = database.prepare('DELETE FROM containers WHERE id = ?')
    for (const row of database.prepare('SELECT * FROM containers', { bigints: true }).all()) {
      this.#remember(fromRow(row))
    }
  }

  /** Newest first, as Docker lists them. */
  all(): Container[] {
    return [...this.#byId.values()].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
  }

  find(id: string): Container | undefined {
    return this.#byId.get(id)
  }

  /** By id, name or unambiguous id prefix, in this order.   @throws `not-found`, `invalid` in Docker's words */
  get(name: string): Container {
    const found = this.#byId.get(name) ?? this.#byName(name)
    if (found) return found
    if (name === '' || !/^[0-9a-f]{1,64}$/.test(name) || isFullId(name)) throw noSuchContainer(name)
    const matches = this.all().filter(({ id }) => id.startsWith(name))
    if (matches.length > 1) throw invalid(`multiple IDs found with provided prefix: ${name}`)
    if (!matches[0]) throw noSuchContainer(name)
    return matches[0]
  }

  /** @throws `conflict` when the name is taken, in Docker's words */
  checkName(name: string): void {
    const holder = this.#idOfName.get(name)
    if (holder === undefined) return
    throw conflict(
      `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
    )
  }

  isNameTaken(name: string): boolean {
    return this.#idOfName.has(name)
  }

  /** @throws `conflict` when the name is taken */
  insert(container: Container): void {
    this.checkName(container.name)
    const { id, name, createdAt, imageId, state, restartCount, ...settings } = container
    this.#insert.run(
      id,
      name,
      createdAt,
      imageId,
      JSON.stringify(settings satisfies Settings),
      toJson(state, restartCount),
    )
    this.#commit(id, () => this.#remember(container))
  }

  /** Writes name, state and restart count: nothing else of a container changes.   @throws `conflict` when a new name is taken */
  update(container: Container): void {
    if (this.#idOfName.get(container.name) !== container.id) this.checkName(container.name)
    this.#update.run(container.name, toJson(container.state, container.restartCount), container.id)
    this.#commit(container.id, () => this.#remember(container))
  }

  delete(id: string): void {
    this.#delete.run(id)
    this.#commit(id, () => undefined)
  }

  #commit(id: string, remember: () => void): void {
    this.database.afterCommit(() => {
      const before = this.#byId.get(id)
      if (before) this.#idOfName.delete(before.name)
      this.#byId.delete(id)
      remember()
    })
  }

  #remember(container: Container): void {
    this.#byId.set(container.id, container)
    this.#idOfName.set(container.name, container.id)
  }

  #byName(name: string): Container | undefined {
    const id = this.#idOfName.get(name.replace(/^\//, ''))
    return id === undefined ? undefined : this.#byId.get(id)
  }
}

function noSuchContainer(name: string): Error {
  return notFound(`No such container: ${name}`)
}

function toJson(state: ContainerState, restartCount: number): string {
  const { startedAt, finishedAt, health, ...rest } = state
  return JSON.stringify({
    ...rest,
    startedAt: startedAt === undefined ? null : String(startedAt),
    finishedAt: finishedAt === undefined ? null : String(finishedAt),
    ...(health && { health: { ...health, results: health.results.map(toResultRow) } }),
    restartCount,
  })
}

function toResultRow({ startedAt, endedAt, ...rest }: Health['results'][number]): ResultRow {
  return { ...rest, startedAt: String(startedAt), endedAt: String(endedAt) }
}

interface ResultRow {
  readonly startedAt: string
  readonly endedAt: string
  readonly exitCode: number
  readonly output: string
}

interface StateRow extends Omit<ContainerState, 'startedAt' | 'finishedAt' | 'health'> {
  readonly health?: Omit<Health, 'results'> & { readonly results: readonly ResultRow[] }
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly restartCount: number
}

function fromRow(row: Record<string, unknown>): Container {
  const { startedAt, finishedAt, health, restartCount, ...state } = JSON.parse(String(row.state)) as StateRow
  return {
    ...revive(String(row.settings)),
    id: String(row.id),
    name: String(row.name),
    createdAt: row.created_at as bigint,
    imageId: String(row.image_id) as Container['imageId'],
    state: {
      ...state,
      startedAt: startedAt === null ? undefined : BigInt(startedAt),
      finishedAt: finishedAt === null ? undefined : BigInt(finishedAt),
      health: health && { ...health, results: health.results.map(fromResultRow) },
    },
    restartCount,
  }
}

function fromResultRow({ startedAt, endedAt, ...rest }: ResultRow): Health['results'][number] {
  return { ...rest, startedAt: BigInt(startedAt), endedAt: BigInt(endedAt) }
}

/** JSON drops properties that are undefined; reading one that is not there gives undefined all the same. */
function revive(text: string): Settings {
  const settings = JSON.parse(text) as Omit<Settings, 'mounts'> & Partial<Pick<Settings, 'mounts'>>
  return {
    ...settings,
    mounts:
      settings.mounts ??
      settings.host.mounts.map((one) => toPlainMount({ ...one, readonlyBelow: 'if-possible', subpath: '' })),
  }
}
