import { onAbort } from '#base/abort.ts'

export interface ExitResult {
  readonly code: number
  /** What went wrong with the wait itself: clients take it for a failure of theirs, so a container that failed has none. */
  readonly error: string | undefined
}

type Moment = 'exit' | 'removed'

/** Who waits for containers to end. Registering is synchronous, so that not even the shortest run is missed. */
export class ExitWatch {
  readonly #waiters: Record<Moment, Map<string, Set<(result: ExitResult) => void>>> = {
    exit: new Map(),
    removed: new Map(),
  }

  /** The container's next exit, or its removal. Never settles when the signal aborts first: nobody listens any more. */
  next(id: string, moment: Moment, signal?: AbortSignal): Promise<ExitResult> {
    const waiters = this.#waiters[moment].getOrInsertComputed(id, () => new Set())
    const { promise, resolve } = Promise.withResolvers<ExitResult>()
    waiters.add(resolve)
    const aborted = onAbort(signal, () => {
      waiters.delete(resolve)
      if (waiters.size === 0) this.#waiters[moment].delete(id)
    })
    return promise.finally(() => aborted[Symbol.dispose]())
  }

  tell(id: string, moment: Moment, result: ExitResult): void {
    const waiters = this.#waiters[moment].get(id)
    this.#waiters[moment].delete(id)
    for (const resolve of waiters ?? []) resolve(result)
  }

  /** The container is gone: those who wait for anything of it are told. */
  tellRemoved(id: string, result: ExitResult): void {
    this.tell(id, 'exit', result)
    this.tell(id, 'removed', result)
  }
}
