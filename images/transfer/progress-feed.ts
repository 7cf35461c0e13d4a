import type { PullProgress } from './progress.ts'

/** What a line may have that is replaced by a newer one. */
export type Line = { readonly [Key in keyof PullProgress]?: PullProgress[Key] | undefined }

/** Carries progress from the work to one reader. What a slow reader has not seen yet is replaced by newer counts of the same layer,
 *  so that waiting lines are few. */
export class ProgressFeed<P extends Line = PullProgress> implements AsyncIterable<P> {
  readonly #waiting: P[] = []
  readonly #onReturn: () => Promise<void>
  #wake: (() => void) | undefined
  #end: { readonly error?: unknown } | undefined

  /** @param onReturn called when the reader leaves before the end */
  constructor(onReturn: () => Promise<void>) {
    this.#onReturn = onReturn
  }

  push(progress: P): void {
    const last = this.#waiting.findLastIndex(({ id }) => id === progress.id)
    const replaces = progress.detail !== undefined && this.#waiting[last]?.status === progress.status
    if (replaces) this.#waiting[last] = progress
    else this.#waiting.push(progress)
    this.#wake?.()
  }

  /** Ends the feed after what is waiting, with an error if there is one. */
  end(end: { readonly error?: unknown } = {}): void {
    this.#end ??= end
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<P, void, undefined> {
    try {
      for (;;) {
        for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) yield next
        if (this.#end) break
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#wake = resolve
        await promise
      }
    } finally {
      if (!this.#end) await this.#onReturn()
    }
    if ('error' in this.#end) throw this.#end.error
  }
}

/** Lets a report through when the last one is `intervalMs` ago. */
export function throttled(report: (current: number) => void, intervalMs = 100): (current: number) => void {
  let last = Number.NEGATIVE_INFINITY
  return (current) => {
    const now = performance.now()
    if (now - last < intervalMs) return
    last = now
    report(current)
  }
}

/** What Docker says of a layer whose connection has broken. */
export function retryStatus(inMs: number): string {
  const seconds = Math.max(1, Math.round(inMs / 1000))
  return `Retrying in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`
}
