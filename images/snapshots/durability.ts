import { isKind } from '#base/errors.ts'
import type { SnapshotStore } from './snapshot-store.ts'
import { runTreeJob } from './tree-process.ts'

export interface DurabilityParts {
  readonly root: string
  readonly store: SnapshotStore
  readonly executable: string
  readonly bootId: string
  /** How long commits are gathered. */
  readonly gatherMs?: number
  /** Told of those that have become durable. */
  readonly onDurable: (ids: readonly number[]) => void
  /** Told of failures in the background. */
  readonly onError: (error: unknown) => void
}

/** Long enough to take the layers of one pull together, short enough for a pull to be durable soon. */
const defaultGatherMs = 300

/** Has committed snapshots written out in the background and notes it in their rows: nobody who pulls waits for the disk. */
export class DurabilityKeeper implements AsyncDisposable {
  readonly #parts: DurabilityParts
  readonly #disposed = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  constructor(parts: DurabilityParts) {
    this.#parts = parts
  }

  /** Soon, if there is anything to write out. */
  schedule(): void {
    if (this.#timer || this.#disposed.signal.aborted) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      // Failing here leaves the snapshots `usable`: the next boot makes them anew.
      this.flush().catch((error: unknown) => {
        // Stopped by us: no failure of the disk.
        if (!this.#disposed.signal.aborted) this.#parts.onError(error)
      })
    }, this.#parts.gatherMs ?? defaultGatherMs)
    this.#timer.unref()
  }

  /** Resolves when everything committed before the call is durable. @throws what berth-unpack --sync says: the disk failed, or is full */
  async flush(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    while (this.#running) await this.#running.catch(() => undefined)
    this.#running = this.#writeOut().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    this.#disposed.abort()
    await this.#running?.catch(() => undefined)
  }

  async #writeOut(): Promise<void> {
    const { root, store, executable, bootId, onDurable } = this.#parts
    // Only these: what is committed while the disk works may have come too late for it.
    const ids = store.usable(bootId)
    if (ids.length === 0) return
    try {
      await runTreeJob(executable, '--sync', root, this.#disposed.signal)
    } catch (error) {
      // Of pages that could not be written the kernel tells once, and takes them for written.
      if (isKind(error, 'internal') || isKind(error, 'no-space')) store.distrust(ids, bootId)
      throw error
    }
    store.markDurable(ids)
    onDurable(ids)
  }
}
