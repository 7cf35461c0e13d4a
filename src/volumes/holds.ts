/** Which containers that are not on record yet want which volumes. */
export class Holds {
  readonly #names = new Map<string, Set<string>>()

  add(holder: string, name: string): void {
    this.#names.set(holder, (this.#names.get(holder) ?? new Set()).add(name))
  }

  of(holder: string): string[] {
    return [...(this.#names.get(holder) ?? [])]
  }

  release(holder: string): void {
    this.#names.delete(holder)
  }

  has(name: string): boolean {
    return this.holdersOf(name).length > 0
  }

  holdersOf(name: string): string[] {
    return [...this.#names].filter(([, names]) => names.has(name)).map(([holder]) => holder)
  }
}
