import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { dataLoss, internal, unavailable } from '#base/errors.ts'
import { migrations as allMigrations, type Migration } from './migrations/all.ts'

/** `BRTH`: tells our database from any other SQLite file. */
const applicationId = 0x42525448

/**
 * The engine's one database. Every call is synchronous and takes microseconds; services own their rows and prepare their
 * statements once. Committed work survives a killed daemon at once, and a power cut as soon as `sync` has resolved.
 */
export class Database implements AsyncDisposable {
  readonly path: string
  readonly #connection: DatabaseSync
  readonly #afterCommit: (() => void)[] = []
  #depth = 0
  #wal: FileHandle | undefined
  #syncing: Promise<void> | undefined
  #nextSync: Promise<void> | undefined

  constructor(path: string, connection: DatabaseSync) {
    this.path = path
    this.#connection = connection
  }

  /** A statement for the life of the database. Integers that may pass 2^53 (nanoseconds) need `bigints`: then all integers of its rows are bigint. */
  prepare(sql: string, { bigints = false }: { bigints?: boolean } = {}): StatementSync {
    const statement = this.#connection.prepare(sql)
    if (bigints) statement.setReadBigInts(true)
    return statement
  }

  /** Runs several statements without parameters or results: schema only. */
  exec(sql: string): void {
    this.#connection.exec(sql)
  }

  /** All of `work` or nothing of it. Synchronous; a nested call is a savepoint of the outer one. */
  transaction<T>(work: () => T): T {
    const depth = this.#depth
    const listeners = this.#afterCommit.length
    this.#connection.exec(depth === 0 ? 'BEGIN IMMEDIATE' : `SAVEPOINT s${depth}`)
    this.#depth += 1
    let result: T
    try {
      result = work()
      if (result instanceof Promise) throw internal('a transaction cannot wait for a promise')
      this.#connection.exec(depth === 0 ? 'COMMIT' : `RELEASE s${depth}`)
    } catch (error) {
      this.#afterCommit.length = listeners
      // SQLite has rolled back by itself after some failures (a full disk).
      if (this.#connection.isTransaction) {
        this.#connection.exec(depth === 0 ? 'ROLLBACK' : `ROLLBACK TO s${depth}; RELEASE s${depth}`)
      }
      throw error
    } finally {
      this.#depth = depth
    }
    if (depth === 0) for (const listener of this.#afterCommit.splice(0)) listener()
    return result
  }

  /** Calls `listener` when the running transaction is committed, never when it is undone; at once outside of one. */
  afterCommit(listener: () => void): void {
    if (this.#depth === 0) listener()
    else this.#afterCommit.push(listener)
  }

  /** Resolves when all that was committed before the call is on disk. Callers at the same time share one fsync. */
  async sync(): Promise<void> {
    if (!this.#syncing) {
      this.#syncing = this.#syncNow().finally(() => {
        this.#syncing = undefined
      })
      return this.#syncing
    }
    // The running fsync may have begun before our commit was written: one more is needed, for all who came meanwhile.
    this.#nextSync ??= this.#syncing
      .catch(() => undefined)
      .then(() => {
        this.#nextSync = undefined
        return this.sync()
      })
    return this.#nextSync
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#syncing?.catch(() => undefined)
    await this.#wal?.close()
    this.#wal = undefined
    if (this.#connection.isOpen) this.#connection.close()
  }

  async #syncNow(): Promise<void> {
    if (!this.#wal) {
      // SQLite holds no locks on the log itself, so that closing this descriptor cannot drop one (fcntl(2)).
      this.#wal = await open(`${this.path}-wal`, 'r')
      await using directory = await open(dirname(this.path), 'r')
      await directory.sync()
    }
    await this.#wal.datasync()
  }
}

/**
 * Opens or makes the database and brings its schema up to date.
 * @throws `unavailable` for a schema of a newer version, which stays untouched; `data-loss` for a file that is no database of ours.
 */
export function openDatabase(path: string, migrations: readonly Migration[] = allMigrations): Database {
  const connection = openConnection(path)
  try {
    const found = checkVersion(connection, path, migrations.length)
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY')
    const database = new Database(path, connection)
    for (const migration of migrations.slice(found)) migrate(database, migration)
    return database
  } catch (error) {
    connection.close()
    throw error
  }
}

function openConnection(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: 5000 })
  } catch (cause) {
    throw unavailable(`cannot open the database ${path}`, { cause })
  }
}

function checkVersion(connection: DatabaseSync, path: string, known: number): number {
  const version = pragma(connection, path, 'user_version')
  const id = pragma(connection, path, 'application_id')
  const isNew = version === 0 && id === 0
  if (!isNew && id !== applicationId) throw dataLoss(`${path} is a database, but not one of berth's`)
  if (version > known) {
    throw unavailable(
      `the database ${path} has schema version ${version}, but this berth knows only ${known}: use the newer berth again, or another data root`,
      { code: 'schema-too-new' },
    )
  }
  return version
}

function pragma(connection: DatabaseSync, path: string, name: 'user_version' | 'application_id'): number {
  try {
    return Number(connection.prepare(`PRAGMA ${name}`).get()?.[name])
  } catch (cause) {
    throw dataLoss(`${path} is damaged or no database`, { cause })
  }
}

function migrate(database: Database, { version, name, sql }: Migration): void {
  try {
    database.transaction(() => {
      database.exec(sql)
      database.exec(`PRAGMA user_version = ${version}; PRAGMA application_id = ${applicationId}`)
    })
  } catch (cause) {
    throw internal(`migration ${version} (${name}) of the database failed`, { cause })
  }
}
