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

export interface JournalLimits {
  /** How many events `since` can reach back at least. */
  readonly kept: number
  /** How many are kept at most for a reader that is slow. */
  readonly backlog: number
}

/** About 5 and 100 MB of rows. */
const usualLimits: JournalLimits = { kept: 10_000, backlog: 200_000 }
/** Old rows are dropped once in so many events, not at each one. */
const trimEvery = 256n

/** The last events, in the order they were published. */
export class Journal {
  readonly #limits: JournalLimits
  readonly #insert: StatementSync
  readonly #trim: StatementSync
  readonly #since: StatementSync
  readonly #after: StatementSync
  readonly #oldest: StatementSync
  readonly #last: StatementSync

  constructor(database: JournalDatabase, limits = usualLimits) {
    this.#limits = limits
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
    this.#last = database.prepare('SELECT serial, time FROM events ORDER BY serial DESC LIMIT 1', { bigints: true })
    this.#oldest = database.prepare('SELECT min(serial) AS oldest FROM events', { bigints: true })
  }

  /**
   * Writes the event within the running transaction, if there is one.
   * @param slowest the serial that every reader has got already   @returns its serial number
   */
  append(event: EngineEvent, slowest: () => bigint): bigint {
    const { time, ...rest } = event
    const serial = BigInt(this.#insert.run(time, JSON.stringify(rest)).lastInsertRowid)
    if (serial % trimEvery === 0n) {
      const read = [serial - BigInt(this.#limits.kept), slowest()].reduce((a, b) => (a < b ? a : b))
      const oldest = serial - BigInt(this.#limits.backlog)
      this.#trim.run(read > oldest ? read : oldest)
    }
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

  /** The newest entry's serial and time; zeros when there is none. */
  last(): { readonly serial: bigint; readonly time: bigint } {
    const row = this.#last.get()
    return { serial: BigInt((row?.serial as bigint | null) ?? 0n), time: BigInt((row?.time as bigint | null) ?? 0n) }
  }
}

function toEntry(row: Record<string, unknown>): JournalEntry {
  const rest = JSON.parse(String(row.event)) as Omit<EngineEvent, 'time'>
  return { serial: row.serial as bigint, event: { ...rest, time: row.time as bigint } }
}
