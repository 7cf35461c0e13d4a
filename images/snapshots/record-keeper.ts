import { isRecorded, recordTree } from './record.ts'
import type { SnapshotDirectories } from './tree-format.ts'

export interface RecordParts {
  readonly executable: string
  readonly directoriesOf: (id: number) => SnapshotDirectories
  readonly isKnown: (id: number) => boolean
  /** Told of failures in the background. */
  readonly onError: (error: unknown) => void
}

/** Records layers one after the other, behind their pull: reading what was just written costs a fraction of writing it, but nobody waits for it. */
export class RecordKeeper implements AsyncDisposable {
  readonly #parts: RecordParts
  readonly #waiting = new Set<number>()
  readonly #disposed = new AbortController()
  #running: Promise<void> | undefined

  constructor(parts: RecordParts) {
    this.#parts = parts
  }

  /** Soon; those that are recorded already cost a look. */
  add(ids: readonly number[]): void {
    for (const id of ids) this.#waiting.add(id)
    if (this.#running || this.#disposed.signal.aborted || this.#waiting.size === 0) return
    this.#running = this.#work().finally(() => {
      this.#running = undefined
    })
  }

  /** Resolves when everything added so far is recorded. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort()
    await this.settled()
  }

  async #work(): Promise<void> {
    const { executable, directoriesOf, isKnown, onError } = this.#parts
    const { signal } = this.#disposed
    for (const id of this.#waiting) {
      if (signal.aborted) return
      const directories = directoriesOf(id)
      try {
        if (!isRecorded(directories)) await recordTree(executable, directories, signal)
      } catch (error) {
        // Removed meanwhile, or stopped by us: no failure. What is not recorded is tried again at the next start.
        if (isKnown(id) && !signal.aborted) onError(error)
      }
      this.#waiting.delete(id)
    }
  }
}
