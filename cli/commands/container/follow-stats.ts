import type { ContainerStats } from '#contract/types.gen.ts'
import type { StatsRow } from '../../output/stats-columns.ts'

interface Followed {
  stats: ContainerStats | undefined
  readonly first: Promise<void>
}

/** The latest of several streams of usage, in the order in which they were asked for. */
export class FollowedStats {
  readonly #open: (name: string) => Promise<AsyncIterable<ContainerStats>>
  readonly #followed = new Map<string, Followed>()

  constructor(open: (name: string) => Promise<AsyncIterable<ContainerStats>>) {
    this.#open = open
  }

  add(names: readonly string[]): void {
    for (const name of names) if (!this.#followed.has(name)) this.#begin(name)
  }

  /** Follows these and no others. */
  keep(names: readonly string[]): void {
    for (const name of this.#followed.keys()) if (!names.includes(name)) this.#followed.delete(name)
    this.add(names)
  }

  /** Resolves when each has something to show.   @throws what the engine says of the first that it cannot follow */
  async ready(): Promise<void> {
    await Promise.all([...this.#followed.values()].map(({ first }) => first))
  }

  rows(): StatsRow[] {
    return [...this.#followed].map(([asked, { stats }]) => ({ asked, stats }))
  }

  #begin(name: string): void {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const followed: Followed = { stats: undefined, first: promise }
    this.#followed.set(name, followed)
    promise.catch(() => undefined)
    this.#run(name, followed, resolve).then(() => resolve(), reject)
  }

  async #run(name: string, followed: Followed, onFirst: () => void): Promise<void> {
    try {
      for await (const stats of await this.#open(name)) {
        if (this.#followed.get(name) !== followed) return
        followed.stats = stats
        onFirst()
      }
    } finally {
      if (this.#followed.get(name) === followed) this.#followed.delete(name)
    }
  }
}
