/** Containers that wait for their next attempt. */
export class RestartTimers {
  readonly #waiting = new Map<string, AbortController>()
  /** The delay before the run that is under way, for the doubling. */
  readonly #delays = new Map<string, number>()

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

  /** The next failure counts as the first again. */
  forget(id: string): void {
    this.cancel(id)
    this.#delays.delete(id)
  }
}
