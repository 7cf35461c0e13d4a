import { abortable } from './abort.ts'

/** One holder per key at a time, first come first served. */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>()

  /** Waits for the key's earlier holders; dispose the result to let the next one in.   @throws `cancelled` */
  async acquire(key: string, signal?: AbortSignal): Promise<Disposable> {
    const before = this.#tails.get(key)
    const { promise: released, resolve } = Promise.withResolvers<void>()
    const tail = (before ?? Promise.resolve()).then(() => released)
    this.#tails.set(key, tail)
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    })
    try {
      if (before) await abortable(before, signal)
    } catch (error) {
      resolve()
      throw error
    }
    return { [Symbol.dispose]: () => resolve() }
  }
}
