import { onAbort, throwIfAborted } from '#base/abort.ts'

/** At most `count` holders at a time, first come first served. */
export class Slots {
  #count: number
  /** Below zero while more are held than there may be since a change. */
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(count: number) {
    this.#count = count
    this.#free = count
  }

  /** Holders keep what they have. */
  resize(count: number): void {
    this.#free += count - this.#count
    this.#count = count
    for (const next of this.#waiting) {
      if (this.#free <= 0) return
      this.#free -= 1
      this.#waiting.delete(next)
      next()
    }
  }

  /** @param onWait called when no slot is free   @throws `cancelled` */
  async acquire(onWait: () => void, signal: AbortSignal): Promise<Disposable> {
    throwIfAborted(signal)
    if (this.#free > 0) {
      this.#free -= 1
      return this.#slot()
    }
    onWait()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    using _abort = onAbort(signal, resolve)
    await promise
    // Aborted while still waiting: no slot was handed over.
    if (this.#waiting.delete(resolve)) throwIfAborted(signal)
    const slot = this.#slot()
    if (!signal.aborted) return slot
    slot[Symbol.dispose]()
    throwIfAborted(signal)
    return slot
  }

  #slot(): Disposable {
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (!held) return
        held = false
        const [next] = this.#waiting
        if (!next || this.#free < 0) {
          this.#free += 1
          return
        }
        this.#waiting.delete(next)
        next()
      },
    }
  }
}
