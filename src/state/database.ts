import { closeSync, openSync, writeSync } from 'node:fs'
import { type FileHandle, open as openFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  DatabaseSync,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementResultingChanges,
  type StatementSync,
} from 'node:sqlite'
import { dataLoss, internal, isKind, systemCode, unavailable } from '#base/errors.ts'
import { migrations as allMigrations, type Migration } from './migrations/all.ts'
import { Reserve, reserveBytes } from './reserve.ts'
import { mayLackSpace, toStateError } from './sqlite-error.ts'

/** `BRTH`: tells our database from any other SQLite file. */
const applicationId = 0x42525448
const zeros = new Uint8Array(4096)

/**
 * The engine's one database. Every call is synchronous and takes microseconds; services own their rows and prepare their
 * statements once. Committed work survives a killed daemon at once, and a power cut as soon as `sync` has resolved.
 * On a full disk a reserve beside it goes to what is written first, so that deleting works; what grows calls `checkRoom` before.
 */
export class Database implements AsyncDisposable {
  readonly path: string
  readonly #connection: DatabaseSync
  readonly #reserve: Reserve
  readonly #afterCommit: (() => void)[] = []
  #depth = 0
  #wal: FileHandle | undefined
  /** Whether a sync of the log has failed. */
  #isLogDoubtful = false
  #syncing: Promise<void> | undefined
  #nextSync: Promise<void> | undefined

  constructor(path: string, connection: DatabaseSync, reserve: Reserve) {
    this.path = path
    this.#connection = connection
    this.#reserve = reserve
  }

  /** A statement for the life of the database. Integers that may pass 2^53 (nanoseconds) need `bigints`: then all integers of its rows are bigint. */
  prepare(sql: string, { bigints = false }: { bigints?: boolean } = {}): StatementSync {
    const statement = this.#connection.prepare(sql)
    if (bigints) statement.setReadBigInts(true)
    const run: (...values: SQLInputValue[]) => StatementResultingChanges = statement.run
    const get: (...values: SQLInputValue[]) => Record<string, SQLOutputValue> | undefined = statement.get
    const all: (...values: SQLInputValue[]) => Record<string, SQLOutputValue>[] = statement.all
    return Object.assign(statement, {
      run: (...values: SQLInputValue[]) => this.#withReserve(() => this.#explained(() => run.apply(statement, values))),
      get: (...values: SQLInputValue[]) => this.#explained(() => get.apply(statement, values)),
      all: (...values: SQLInputValue[]) => this.#explained(() => all.apply(statement, values)),
    })
  }

  /** Runs several statements without parameters or results: schema only. */
  exec(sql: string): void {
    this.#connection.exec(sql)
  }

  /** What SQLite finds wrong with the file and with references between tables, in its words; nothing when all is well. */
  problems(): string[] {
    const check = this.#connection.prepare('PRAGMA integrity_check(20)').all()
    const words = check.map((row) => String(row.integrity_check)).filter((one) => one !== 'ok')
    const orphans = this.#connection.prepare('PRAGMA foreign_key_check').all().slice(0, 20)
    return [
      ...words,
      ...orphans.map(({ table, parent }) => `a row of ${table} names one of ${parent} that is not there`),
    ]
  }

  /** Called before work that takes more space than it gives back.   @throws `no-space` when the reserve is used up and the disk still full */
  checkRoom(): void {
    this.#explained(() => this.#reserve.take())
  }

  /** All of `work` or nothing of it. Synchronous; a nested call is a savepoint of the outer one. On a full disk `work` is done a second time. */
  transaction<T>(work: () => T): T {
    return this.#withReserve(() => this.#transaction(work))
  }

  #transaction<T>(work: () => T): T {
    const depth = this.#depth
    const listeners = this.#afterCommit.length
    this.#explained(() => this.#connection.exec(depth === 0 ? 'BEGIN IMMEDIATE' : `SAVEPOINT s${depth}`))
    this.#depth += 1
    let result: T
    try {
      result = work()
      if (result instanceof Promise) throw internal('a transaction cannot wait for a promise')
      this.#explained(() => this.#connection.exec(depth === 0 ? 'COMMIT' : `RELEASE s${depth}`))
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
    if (!this.#connection.isOpen) return
    this.#connection.close()
    // The log is gone, so there may be room again for what the next start could need.
    try {
      this.#reserve.take()
    } catch (error) {
      if (!isKind(error, 'no-space')) throw error
    }
  }

  #explained<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw toStateError(error, this.path)
    }
  }

  #withReserve<T>(work: () => T): T {
    if (this.#depth > 0) return work()
    try {
      return work()
    } catch (error) {
      if (!isKind(error, 'no-space') || this.#connection.isTransaction) throw error
      const given = this.#reserve.give()
      this.#recycleLog()
      if (given) this.growLog()
      return work()
    }
  }

  /** Lets the log be written from its beginning again: its space is ours already. */
  #recycleLog(): void {
    try {
      this.#connection.exec('PRAGMA wal_checkpoint(RESTART)')
    } catch (error) {
      // Then what is left of the disk has to be enough.
      if (!mayLackSpace(error)) throw error
    }
  }

  /** Takes what the reserve gave before anybody else does. Zeros are no frames: SQLite writes over them, and reads none. */
  growLog(): void {
    const log = openSync(`${this.path}-wal`, 'a')
    try {
      for (let size = 0; size < reserveBytes / 2; size += zeros.length) writeSync(log, zeros)
    } catch (error) {
      // As much as there is.
      if (systemCode(error) !== 'ENOSPC' && systemCode(error) !== 'EDQUOT') throw error
    } finally {
      closeSync(log)
    }
  }

  async #syncNow(): Promise<void> {
    if (this.#isLogDoubtful) {
      // The kernel takes the pages of a failed fsync for written: only a copy, synced itself, is on the disk.
      this.#explained(() => this.#connection.exec('PRAGMA wal_checkpoint(RESTART)'))
      this.#isLogDoubtful = false
    }
    if (!this.#wal) {
      // SQLite holds no locks on the log itself, so that closing this descriptor cannot drop one (fcntl(2)).
      this.#wal = await openFile(`${this.path}-wal`, 'r')
      await using directory = await openFile(dirname(this.path), 'r')
      await directory.sync()
    }
    try {
      await this.#wal.datasync()
    } catch (error) {
      this.#isLogDoubtful = true
      throw toStateError(error, this.path)
    }
  }
}

/**
 * Opens or makes the database and brings its schema up to date.
 * @throws `unavailable` for a schema of a newer version, which stays untouched; `data-loss` for a file that is no database of ours.
 */
export function openDatabase(path: string, migrations: readonly Migration[] = allMigrations): Database {
  const reserve = new Reserve(`${path}.reserve`)
  try {
    return open(path, migrations, reserve)
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    if (!mayLackSpace(cause) || !reserve.give()) throw error
    const database = open(path, migrations, reserve)
    database.growLog()
    return database
  }
}

function open(path: string, migrations: readonly Migration[], reserve: Reserve): Database {
  const connection = openConnection(path)
  try {
    const found = checkVersion(connection, path, migrations.length)
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY')
    const database = new Database(path, connection, reserve)
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
  } catch (error) {
    if (mayLackSpace(error)) throw unavailable(`cannot read the database ${path}`, { cause: error })
    throw dataLoss(`${path} is damaged or no database`, { cause: error })
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
