/**
 * Holds on content (by digest) and snapshots (by name) that no image refers to yet. They live as long as the process: what a killed
 * daemon held is collected at the next start.
 */
export class Leases {
  readonly #holders = new Map<string, number>()

  open(): Lease {
    return new Lease(this.#holders)
  }

  /** Whether anybody holds this digest or snapshot name. */
  has(key: string): boolean {
    return this.#holders.has(key)
  }
}

/** One holder's holds; disposing it lets go of all of them. */
export class Lease implements Disposable {
  readonly #holders: Map<string, number>
  readonly #keys = new Set<string>()

  constructor(holders: Map<string, number>) {
    this.#holders = holders
  }

  /** What is held, in the order in which it was added. */
  get keys(): readonly string[] {
    return [...this.#keys]
  }

  /** Hold first, look whether it is there afterwards: the other order leaves a gap for a removal. */
  hold(key: string): void {
    if (this.#keys.has(key)) return
    this.#keys.add(key)
    this.#holders.set(key, (this.#holders.get(key) ?? 0) + 1)
  }

  [Symbol.dispose](): void {
    for (const key of this.#keys) {
      const left = (this.#holders.get(key) ?? 0) - 1
      if (left > 0) this.#holders.set(key, left)
      else this.#holders.delete(key)
    }
    this.#keys.clear()
  }
}
