import { systemCode } from '#base/errors.ts'
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
  #current: { readonly id: number; readonly stop: AbortController; readonly ended: Promise<void> } | undefined

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

  /** Resolves when nothing is written beside these files any more, and nothing will be. */
  async drop(id: number): Promise<void> {
    this.#waiting.delete(id)
    if (this.#current?.id !== id) return
    this.#current.stop.abort()
    await this.#current.ended
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
    for (const id of this.#waiting) {
      if (this.#disposed.signal.aborted) return
      const stop = new AbortController()
      const ended = this.#record(id, AbortSignal.any([stop.signal, this.#disposed.signal]))
      this.#current = { id, stop, ended }
      await ended
      this.#current = undefined
      this.#waiting.delete(id)
    }
  }

  async #record(id: number, signal: AbortSignal): Promise<void> {
    const { executable, directoriesOf, isKnown, onError } = this.#parts
    const directories = directoriesOf(id)
    try {
      if (!isRecorded(directories)) await recordTree(executable, directories, signal)
    } catch (error) {
      // Removed meanwhile, or stopped by us, or gone as `verify` will tell: no failure. The next start tries again what is not recorded.
      if (isKnown(id) && !signal.aborted && systemCode(error) !== 'ENOENT') onError(error)
    }
  }
}
