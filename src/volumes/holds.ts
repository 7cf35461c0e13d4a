/** Which holders have, or want, which volumes. */
export class Holds {
  readonly #names = new Map<string, Set<string>>()

  add(holder: string, name: string): void {
    this.#names.set(holder, (this.#names.get(holder) ?? new Set()).add(name))
  }

  of(holder: string): string[] {
    return [...(this.#names.get(holder) ?? [])]
  }

  remove(holder: string, name: string): void {
    const names = this.#names.get(holder)
    names?.delete(name)
    if (names?.size === 0) this.#names.delete(holder)
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
