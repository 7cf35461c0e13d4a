import { watch } from 'node:fs'
import { dirname } from 'node:path'
import { onAbort } from '#base/abort.ts'

/** Tells that the directory of a log has changed since the last look. */
export class ChangeSignal implements Disposable {
  readonly #watcher: ReturnType<typeof watch>
  readonly #aborted: Disposable
  #changed = false
  #wake: (() => void) | undefined

  /** @param end wakes the waiter for good */
  constructor(path: string, end: AbortSignal) {
    this.#watcher = watch(dirname(path), { persistent: false }, () => this.#notify())
    // The directory itself may go away with its container.
    this.#watcher.on('error', () => this.#notify())
    this.#aborted = onAbort(end, () => this.#notify())
  }

  /** Fulfilled at the next change, or at once when there was one since the last call. */
  async next(): Promise<void> {
    if (!this.#changed) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
    this.#changed = false
  }

  [Symbol.dispose](): void {
    this.#watcher.close()
    this.#aborted[Symbol.dispose]()
  }

  #notify(): void {
    this.#changed = true
    this.#wake?.()
    this.#wake = undefined
  }
}
