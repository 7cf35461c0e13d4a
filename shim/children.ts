import type { ShimKernel } from './kernel.ts'

/** The shims that are children of this process: reaped when SIGCHLD says that some child has ended. */
export class ShimChildren implements Disposable {
  readonly #kernel: ShimKernel
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>()
  readonly #onSignal = (): void => this.#reap()

  constructor(kernel: ShimKernel) {
    this.#kernel = kernel
    process.on('SIGCHLD', this.#onSignal)
  }

  add(pid: number): void {
    this.#waiting.set(pid, Promise.withResolvers<void>())
  }

  /** Fulfilled when the child has been reaped. */
  async gone(pid: number): Promise<void> {
    this.#reap() // it may have ended before it was added
    await this.#waiting.get(pid)?.promise
  }

  [Symbol.dispose](): void {
    process.off('SIGCHLD', this.#onSignal)
  }

  #reap(): void {
    for (const [pid, { resolve }] of this.#waiting) {
      if (!this.#kernel.reap(pid)) continue
      this.#waiting.delete(pid)
      resolve()
    }
  }
}
