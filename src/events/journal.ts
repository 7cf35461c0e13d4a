import type { StatementSync } from 'node:sqlite'
import type { EngineEvent } from './event.ts'

/** What the journal asks of the database. */
export interface JournalDatabase {
  prepare(sql: string, options?: { bigints?: boolean }): StatementSync
  afterCommit(listener: () => void): void
}

export interface JournalEntry {
  readonly serial: bigint
  readonly event: EngineEvent
}

/** How many events `since` can reach back; about 5 MB of rows. */
const journalLimit = 10_000
/** Old rows are dropped once in so many events, not at each one. */
const trimEvery = 256n

/** The last events, in the order they were published. */
export class Journal {
  readonly #insert: StatementSync
  readonly #trim: StatementSync
  readonly #since: StatementSync
  readonly #after: StatementSync
  readonly #oldest: StatementSync
  readonly #last: StatementSync

  constructor(database: JournalDatabase) {
    this.#insert = database.prepare('INSERT INTO events (time, event) VALUES (?, ?)', { bigints: true })
    this.#trim = database.prepare('DELETE FROM events WHERE serial <= ?')
    const columns = 'SELECT serial, time, event FROM events'
    this.#since = database.prepare(
      `${columns} WHERE time >= ? AND serial > ? AND serial <= ? ORDER BY serial LIMIT ?`,
      {
        bigints: true,
      },
    )
    this.#after = database.prepare(`${columns} WHERE serial > ? ORDER BY serial LIMIT ?`, { bigints: true })
    this.#last = database.prepare('SELECT max(serial) AS last FROM events', { bigints: true })
    this.#oldest = database.prepare('SELECT min(serial) AS oldest FROM events', { bigints: true })
  }

  /** Writes the event within the running transaction, if there is one.   @returns its serial number */
  append(event: EngineEvent): bigint {
    const { time, ...rest } = event
    const serial = BigInt(this.#insert.run(time, JSON.stringify(rest)).lastInsertRowid)
    if (serial % trimEvery === 0n) this.#trim.run(serial - BigInt(journalLimit))
    return serial
  }

  /** At most `limit` entries from `since` on, with serials after `after` up to `last`. */
  since(since: bigint, range: { after: bigint; last: bigint; limit: number }): JournalEntry[] {
    return this.#since.all(since, range.after, range.last, range.limit).map(toEntry)
  }

  /** At most `limit` entries after the serial; undefined when entries in between are already dropped. */
  after(serial: bigint, limit: number): JournalEntry[] | undefined {
    const oldest = this.#oldest.get()?.oldest
    if (typeof oldest === 'bigint' && oldest > serial + 1n) return undefined
    return this.#after.all(serial, limit).map(toEntry)
  }

  /** The serial of the newest entry; 0 when there is none. */
  last(): bigint {
    return BigInt((this.#last.get()?.last as bigint | null) ?? 0n)
  }
}

function toEntry(row: Record<string, unknown>): JournalEntry {
  const rest = JSON.parse(String(row.event)) as Omit<EngineEvent, 'time'>
  return { serial: row.serial as bigint, event: { ...rest, time: row.time as bigint } }
}
