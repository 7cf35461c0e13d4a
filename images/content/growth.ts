import type { FileHandle } from 'node:fs/promises'

/** A blob that is being written: what is there of it can be read, and is not verified. */
export interface GrowingBlob {
  /** Opens it at its beginning; the caller closes it. */
  open(): Promise<FileHandle>
  /** Calls after more of it was written. */
  onGrowth(listener: () => void): Disposable
  /** Resolves when all of it was written (not yet verified); rejects when the write was given up or begun again. */
  readonly written: Promise<void>
}

/** The writer's end of a growing blob. */
export class Growth {
  readonly #listeners = new Set<() => void>()
  readonly #written = Promise.withResolvers<void>()

  constructor() {
    // Nobody may be reading.
    this.#written.promise.catch(() => undefined)
  }

  get written(): Promise<void> {
    return this.#written.promise
  }

  onGrowth(listener: () => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) }
  }

  grew(): void {
    for (const listener of this.#listeners) listener()
  }

  end(): void {
    this.#written.resolve()
  }

  giveUp(): void {
    this.#written.reject(new Error('the write was given up'))
  }
}
