/** Containers that wait for their next attempt. */
export class RestartTimers {
  readonly #waiting = new Map<string, AbortController>()
  /** The delay before the run that is under way, for the doubling. */
  readonly #delays = new Map<string, number>()
  readonly #kept = new Set<string>()

  previousDelayMs(id: string): number {
    return this.#delays.get(id) ?? 0
  }

  /** @returns the signal that cancels the wait */
  begin(id: string, delayMs: number): AbortSignal {
    this.cancel(id)
    const controller = new AbortController()
    this.#waiting.set(id, controller)
    this.#delays.set(id, delayMs)
    return controller.signal
  }

  /** The wait is over, the attempt begins. */
  done(id: string): void {
    this.#waiting.delete(id)
  }

  /** A user has taken over. */
  cancel(id: string): void {
    this.#waiting.get(id)?.abort()
    this.#waiting.delete(id)
  }

  /** While a user restarts the container its end is no reason to remove it. */
  keep(id: string): Disposable {
    this.#kept.add(id)
    return { [Symbol.dispose]: () => this.#kept.delete(id) }
  }

  isKept(id: string): boolean {
    return this.#kept.has(id)
  }

  /** The next failure counts as the first again. */
  forget(id: string): void {
    this.cancel(id)
    this.#delays.delete(id)
  }
}
