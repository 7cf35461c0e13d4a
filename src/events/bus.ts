import { onAbort } from '#base/abort.ts'
import { type Clock, systemClock } from '#base/clock.ts'
import { dataLoss } from '#base/errors.ts'
import { Filters } from '#base/filters.ts'
import type { EngineEvent } from './event.ts'
import { matchesEvent } from './filter.ts'
import { Journal, type JournalDatabase, type JournalEntry, type JournalLimits } from './journal.ts'

export interface Subscription {
  /** Nanoseconds since 1970: also what happened from then on, as far as the journal reaches. */
  readonly since?: bigint
  /** Ends the stream at that moment. */
  readonly until?: bigint
  readonly filters?: Filters
}

/** What waits in memory for one slow reader; beyond it, it is served from the journal. */
const queueLimit = 512
const pageSize = 256

/** Tells what happened, in the order in which it was committed. */
export class EventBus {
  readonly #database: JournalDatabase
  readonly #journal: Journal
  readonly #clock: Clock
  readonly #readers = new Set<Reader>()
  #lastTime: bigint
  #lastSerial: bigint

  constructor(database: JournalDatabase, clock: Clock = systemClock, limits?: JournalLimits) {
    this.#database = database
    this.#journal = new Journal(database, limits)
    this.#clock = clock
    const last = this.#journal.last()
    this.#lastSerial = last.serial
    this.#lastTime = last.time
  }

  /** Readers now. */
  get listeners(): number {
    return this.#readers.size
  }

  /** Writes the event in the running transaction and tells it once that is committed. Times never go back, over restarts neither. */
  publish(event: Omit<EngineEvent, 'time'>): void {
    const now = this.#clock.nowNanos()
    this.#lastTime = now > this.#lastTime ? now : this.#lastTime + 1n
    const complete: EngineEvent = { ...event, time: this.#lastTime }
    const serial = this.#journal.append(complete, () => this.#slowest())
    this.#database.afterCommit(() => {
      this.#lastSerial = serial
      for (const reader of this.#readers) reader.take({ serial, event: complete })
    })
  }

  /** The serial up to which all readers have everything. */
  #slowest(): bigint {
    let slowest = this.#lastSerial
    for (const { position } of this.#readers) if (position < slowest) slowest = position
    return slowest
  }

  /** Active when this returns. Ends at `until` or with the signal.   @throws `data-loss` (while iterating) to a reader that fell behind the journal */
  subscribe({ since, until, filters = new Filters() }: Subscription, signal: AbortSignal): AsyncIterable<EngineEvent> {
    const reader = new Reader(this.#journal, this.#lastSerial)
    if (since !== undefined) reader.replay(since)
    this.#readers.add(reader)
    const end = () => {
      this.#readers.delete(reader)
      reader.end()
    }
    const timer = until === undefined ? undefined : endAt(until, this.#clock, end)
    const aborted = onAbort(signal, end)
    const release = () => {
      clearTimeout(timer)
      aborted[Symbol.dispose]()
      end()
    }
    return filtered(reader, { filters, until, release })
  }
}

async function* filtered(
  reader: Reader,
  { filters, until, release }: { filters: Filters; until: bigint | undefined; release: () => void },
): AsyncGenerator<EngineEvent, void, undefined> {
  try {
    for await (const event of reader.events()) {
      if (until !== undefined && event.time > until) return
      if (matchesEvent(filters, event)) yield event
    }
  } finally {
    release()
  }
}

/** Timers hold 31 bits of milliseconds: a later end is as good as none. */
function endAt(until: bigint, clock: Clock, end: () => void): NodeJS.Timeout | undefined {
  const ms = Number((until - clock.nowNanos()) / 1_000_000n)
  if (ms <= 0) {
    end()
    return undefined
  }
  return ms < 2 ** 31 ? setTimeout(end, ms + 1).unref() : undefined
}

/** One reader's place in the stream: a short queue, and the journal for what did not fit. */
class Reader {
  readonly #journal: Journal
  #queue: JournalEntry[] = []
  /** True while entries are missing from the queue: they come from the journal. */
  #behind = false
  #replaySince: bigint | undefined
  #isReplaying = false
  /** The last serial given out. */
  #position: bigint
  readonly #startedAfter: bigint
  #ended = false
  #wake: (() => void) | undefined

  constructor(journal: Journal, position: bigint) {
    this.#journal = journal
    this.#position = position
    this.#startedAfter = position
  }

  take(entry: JournalEntry): void {
    if (this.#queue.length >= queueLimit) this.#behind = true
    if (!this.#behind) this.#queue.push(entry)
    this.#wake?.()
  }

  /** Nothing after it may leave the journal. */
  get position(): bigint {
    return this.#isReplaying ? 0n : this.#position
  }

  replay(since: bigint): void {
    this.#isReplaying = true
    this.#replaySince = since
  }

  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  async *events(): AsyncGenerator<EngineEvent, void, undefined> {
    yield* this.#past()
    this.#isReplaying = false
    for (;;) {
      yield* this.#drain()
      if (this.#behind) yield* this.#catchUp()
      if (this.#queue.length > 0 || this.#behind) continue
      if (this.#ended) return
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
      this.#wake = undefined
    }
  }

  *#past(): Generator<EngineEvent, void, undefined> {
    if (this.#replaySince === undefined) return
    let after = 0n
    for (;;) {
      const range = { after, last: this.#startedAfter, limit: pageSize }
      const page = this.#journal.since(this.#replaySince, range)
      for (const { event } of page) yield event
      if (page.length < pageSize) return
      after = page.at(-1)?.serial ?? after
    }
  }

  *#drain(): Generator<EngineEvent, void, undefined> {
    const entries = this.#queue
    this.#queue = []
    for (const { serial, event } of entries) {
      this.#position = serial
      yield event
    }
  }

  *#catchUp(): Generator<EngineEvent, void, undefined> {
    for (;;) {
      yield* this.#drain()
      const page = this.#journal.after(this.#position, pageSize)
      if (!page) throw dataLoss('events were read too slowly: some are lost; subscribe again')
      for (const { serial, event } of page) {
        this.#position = serial
        yield event
      }
      // Nothing can be published between an empty page and this line: from here on the queue is complete again.
      if (page.length < pageSize && this.#isUpToDate()) {
        this.#behind = false
        return
      }
    }
  }

  #isUpToDate(): boolean {
    return this.#journal.after(this.#position, 1)?.length === 0
  }
}
