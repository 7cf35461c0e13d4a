/** An AsyncIterable fed from outside: values in order, then the end or an error. Bounded: `push` says whether there was room. */
export class Queue<T> implements AsyncIterable<T> {
  readonly #values: T[] = []
  readonly #limit: number
  #wake: (() => void) | undefined
  #ended = false
  #error: unknown

  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit
  }

  /** False when the queue is full or has ended: the value was not taken. */
  push(value: T): boolean {
    if (this.#ended || this.#values.length >= this.#limit) return false
    this.#values.push(value)
    this.#wake?.()
    return true
  }

  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  fail(error: unknown): void {
    this.#error ??= error
    this.end()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      while (this.#values.length > 0) yield this.#values.shift() as T
      if (this.#error !== undefined) throw this.#error
      if (this.#ended) return
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
      this.#wake = undefined
    }
  }
}
