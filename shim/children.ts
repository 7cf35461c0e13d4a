import type { ShimKernel } from './kernel.ts'

/**
 * The shims that are children of this process. A child whose connection has ended is reaped at once or at the next SIGCHLD;
 * others are not asked about, so a thousand of them cost nothing when one ends.
 */
export class ShimChildren implements Disposable {
  readonly #kernel: ShimKernel
  readonly #gone = new Map<number, PromiseWithResolvers<void>>()
  readonly #ending = new Set<number>()
  readonly #onSignal = (): void => this.#reap()

  constructor(kernel: ShimKernel) {
    this.#kernel = kernel
    process.on('SIGCHLD', this.#onSignal)
  }

  /** @param closed fulfilled when the child's connection has ended */
  add(pid: number, closed: Promise<void>): void {
    this.#gone.set(pid, Promise.withResolvers<void>())
    closed.then(() => {
      this.#ending.add(pid)
      this.#reap()
    })
  }

  /** Fulfilled when the child has been reaped. */
  async gone(pid: number): Promise<void> {
    const gone = this.#gone.get(pid)
    if (!gone) return
    // A signal's listener alone does not keep Node running.
    const alive = setInterval(() => undefined, 60_000)
    await gone.promise
    clearInterval(alive)
  }

  [Symbol.dispose](): void {
    process.off('SIGCHLD', this.#onSignal)
  }

  #reap(): void {
    for (const pid of this.#ending) {
      if (!this.#kernel.reap(pid)) continue
      this.#ending.delete(pid)
      this.#gone.get(pid)?.resolve()
      this.#gone.delete(pid)
    }
  }
}
