import { cancelled } from '#base/errors.ts'

interface Copy {
  readonly controller: AbortController
  readonly done: Promise<void>
}

/**
 * Copies from and to containers that were running when they began. What they have open keeps the mount of that run alive; the layers must
 * not be mounted again beside it.
 */
export class CopyTable {
  readonly #copies = new Map<string, Set<Copy>>()

  /** @param signal of the request   @returns with a signal that also tells when the container is about to start anew */
  begin(id: string, signal: AbortSignal): Disposable & { readonly signal: AbortSignal } {
    const controller = new AbortController()
    const { promise: done, resolve } = Promise.withResolvers<void>()
    const copy = { controller, done }
    const copies = this.#copies.get(id) ?? new Set()
    this.#copies.set(id, copies.add(copy))
    return {
      signal: AbortSignal.any([signal, controller.signal]),
      [Symbol.dispose]: () => {
        copies.delete(copy)
        if (copies.size === 0) this.#copies.delete(id)
        resolve()
      },
    }
  }

  /** Ends all copies of a container, and resolves when they let go of its files. */
  async end(id: string): Promise<void> {
    const copies = [...(this.#copies.get(id) ?? [])]
    for (const { controller } of copies) controller.abort(cancelled('the container was started anew'))
    await Promise.all(copies.map(({ done }) => done))
  }
}
