import { conflict } from './errors.ts'

/** Work of which only one runs at a time; a second request is refused, not queued. */
export class SingleRun {
  readonly #busy: string
  #isRunning = false

  /** @param busy what the second one is told */
  constructor(busy: string) {
    this.#busy = busy
  }

  /** @throws `conflict` while another one runs */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isRunning) throw conflict(this.#busy)
    this.#isRunning = true
    try {
      return await work()
    } finally {
      this.#isRunning = false
    }
  }
}
