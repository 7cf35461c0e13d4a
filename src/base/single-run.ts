import { conflict } from './errors.ts'

/** Work of which only one runs at a time; a second request is refused, not queued. */
export class SingleRun {
  readonly #busy: string
  #isRunning = false

  /** @param busy what the second one is told */
  constructor(busy: string) {
    this.#busy = busy
  }

  /** Until disposed, nobody else enters.   @throws `conflict` while somebody is in */
  enter(): Disposable {
    if (this.#isRunning) throw conflict(this.#busy)
    this.#isRunning = true
    return {
      [Symbol.dispose]: () => {
        this.#isRunning = false
      },
    }
  }

  /** @throws `conflict` while another one runs */
  async run<T>(work: () => Promise<T>): Promise<T> {
    using _ = this.enter()
    return await work()
  }
}
