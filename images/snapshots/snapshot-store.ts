import type { StatementSync } from 'node:sqlite'
import { internal } from '#base/errors.ts'
import type { SnapshotInfo, SnapshotKind, SnapshotUsage } from './snapshotter.ts'

/** What the rows need of the engine's database. */
export interface SnapshotDatabase {
  prepare(sql: string): StatementSync
}

export interface NewSnapshot {
  readonly id: number
  readonly key: string
  readonly kind: 'active' | 'view'
  readonly parentId: number | undefined
  readonly driver: string
  readonly createdAt: Date
}

export interface StoredSnapshot extends SnapshotInfo {
  readonly parentId: number | undefined
  readonly driver: string
  /** The boot in which the files were written. */
  readonly bootId: string
}

const columns = `s.id, s.key, s.kind, s.parent, p.key AS parent_key, s.driver, s.created_at, s.bytes, s.inodes, s.state, s.boot_id
  FROM snapshots s LEFT JOIN snapshots p ON p.id = s.parent`

/** The rows of the `snapshots` table. Every call is one statement. */
export class SnapshotStore {
  readonly #insert: StatementSync
  readonly #commit: StatementSync
  readonly #markDurable: StatementSync
  readonly #markUsable: StatementSync
  readonly #delete: StatementSync
  readonly #find: StatementSync
  readonly #list: StatementSync
  readonly #chain: StatementSync
  readonly #hasChildren: StatementSync
  readonly #usable: StatementSync
  readonly #distrust: StatementSync

  constructor(database: SnapshotDatabase) {
    this.#insert = database.prepare(
      `INSERT INTO snapshots (id, key, kind, parent, driver, created_at, state, boot_id) VALUES (?, ?, ?, ?, ?, ?, 'usable', ?)`,
    )
    this.#commit = database.prepare(
      `UPDATE snapshots SET kind = 'committed', key = ?, bytes = ?, inodes = ?, boot_id = ? WHERE id = ?`,
    )
    this.#markDurable = database.prepare(
      `UPDATE snapshots SET state = 'durable' WHERE id IN (SELECT value FROM json_each(?))`,
    )
    this.#distrust = database.prepare(`UPDATE snapshots SET boot_id = ? WHERE id IN (SELECT value FROM json_each(?))`)
    this.#markUsable = database.prepare(`UPDATE snapshots SET state = 'usable', boot_id = ? WHERE id = ?`)
    this.#delete = database.prepare('DELETE FROM snapshots WHERE id = ?')
    this.#find = database.prepare(`SELECT ${columns} WHERE s.key = ?`)
    this.#list = database.prepare(`SELECT ${columns} ORDER BY s.id`)
    this.#chain = database.prepare(
      `WITH RECURSIVE chain (id, parent, depth) AS (
         SELECT id, parent, 0 FROM snapshots WHERE id = ?
         UNION ALL SELECT s.id, s.parent, c.depth + 1 FROM snapshots s JOIN chain c ON s.id = c.parent)
       SELECT id FROM chain ORDER BY depth`,
    )
    this.#hasChildren = database.prepare('SELECT key FROM snapshots WHERE parent = ? LIMIT 1')
    this.#usable = database.prepare(
      `SELECT id FROM snapshots WHERE kind = 'committed' AND state = 'usable' AND boot_id = ?`,
    )
  }

  insert(snapshot: NewSnapshot, bootId: string): void {
    const { id, key, kind, parentId, driver, createdAt } = snapshot
    this.#insert.run(id, key, kind, parentId ?? null, driver, createdAt.getTime(), bootId)
  }

  commit(id: number, name: string, { bytes, inodes }: SnapshotUsage, bootId: string): void {
    this.#commit.run(name, bytes, inodes, bootId, id)
  }

  markDurable(ids: readonly number[]): void {
    this.#markDurable.run(JSON.stringify(ids))
  }

  /** Its files were written anew in this boot. */
  markUsable(id: number, bootId: string): void {
    this.#markUsable.run(bootId, id)
  }

  /** They could not be written out, and the kernel may have given up what it had of them: no later success of this boot tells of them. */
  distrust(ids: readonly number[], bootId: string): void {
    this.#distrust.run(unwrittenIn(bootId), JSON.stringify(ids))
  }

  /** Numbers of the committed snapshots of this boot that are not durable but can become so. */
  usable(bootId: string): readonly number[] {
    return this.#usable.all(bootId).map((row) => numberOf(row, 'id'))
  }

  delete(id: number): void {
    this.#delete.run(id)
  }

  find(key: string): StoredSnapshot | undefined {
    const row = this.#find.get(key)
    return row && toSnapshot(row)
  }

  /** Parents before children. */
  list(): readonly StoredSnapshot[] {
    return this.#list.all().map(toSnapshot)
  }

  /** Numbers of the snapshot and its ancestors, itself first. */
  chain(id: number): readonly number[] {
    return this.#chain.all(id).map((row) => numberOf(row, 'id'))
  }

  /** The key of one that stands on this snapshot. */
  findChild(id: number): string | undefined {
    const row = this.#hasChildren.get(id)
    return row && textOf(row, 'key')
  }
}

/** Whether the files of a snapshot were written since the machine started. */
export const isOfBoot = (snapshot: Pick<StoredSnapshot, 'bootId'>, bootId: string): boolean =>
  snapshot.bootId === bootId || snapshot.bootId === unwrittenIn(bootId)

const unwrittenIn = (bootId: string): string => `${bootId} unwritten`

type Row = Record<string, unknown>

function toSnapshot(row: Row): StoredSnapshot {
  const bytes = optionalNumber(row, 'bytes')
  return {
    id: numberOf(row, 'id'),
    kind: kindOf(row),
    key: textOf(row, 'key'),
    parent: row.parent_key === null ? undefined : textOf(row, 'parent_key'),
    parentId: optionalNumber(row, 'parent'),
    driver: textOf(row, 'driver'),
    createdAt: new Date(numberOf(row, 'created_at')),
    usage: bytes === undefined ? undefined : { bytes, inodes: numberOf(row, 'inodes') },
    durable: row.state === 'durable',
    bootId: textOf(row, 'boot_id'),
  }
}

function kindOf({ kind }: Row): SnapshotKind {
  if (kind === 'active' || kind === 'view' || kind === 'committed') return kind
  throw internal(`a snapshot's kind is '${String(kind)}'`)
}

function textOf(row: Row, column: string): string {
  const value = row[column]
  if (typeof value === 'string') return value
  throw internal(`column ${column} of snapshots is no text`)
}

function numberOf(row: Row, column: string): number {
  const value = row[column]
  if (typeof value === 'number') return value
  throw internal(`column ${column} of snapshots is no number`)
}

function optionalNumber(row: Row | undefined, column: string): number | undefined {
  const value = row?.[column]
  return typeof value === 'number' ? value : undefined
}
