const firstDelayMs = 500
const longestDelayMs = 60_000

/** Work that failed and that nobody waits for: it is tried again, ever less often, until it succeeds. Keeps no process alive. */
export class RetryLater implements Disposable {
  readonly #waiting = new Map<string, () => Promise<void>>()
  #delayMs = firstDelayMs
  #timer: NodeJS.Timeout | undefined
  #isDisposed = false

  /** @param name another work of this name is replaced */
  add(name: string, work: () => Promise<void>): void {
    this.#waiting.set(name, work)
    this.#schedule()
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    clearTimeout(this.#timer)
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isDisposed) return
    this.#timer = setTimeout(() => void this.#run(), this.#delayMs).unref()
  }

  async #run(): Promise<void> {
    for (const [name, work] of this.#waiting) {
      try {
        await work()
        if (this.#waiting.get(name) === work) this.#waiting.delete(name)
      } catch {
        // It was told of when it was added.
      }
    }
    this.#timer = undefined
    this.#delayMs = this.#waiting.size === 0 ? firstDelayMs : Math.min(this.#delayMs * 2, longestDelayMs)
    if (this.#waiting.size > 0) this.#schedule()
  }
}
