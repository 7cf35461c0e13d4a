import { abortError, onAbort } from '#base/abort.ts'

export interface SharedRun<P> {
  /** Does the work; must have cleaned up when it settles, also after its signal. */
  readonly start: (report: (progress: P) => void, signal: AbortSignal) => Promise<void>
  readonly onProgress: (progress: P) => void
  readonly signal: AbortSignal
}

interface Task<P> {
  readonly controller: AbortController
  readonly listeners: Set<(progress: P) => void>
  readonly done: Promise<void>
  latest: P | undefined
}

/** Work that several may wait for and that is done once. It is aborted when the last of them has lost interest. */
export class SharedTasks<P> {
  readonly #tasks = new Map<string, Task<P>>()

  /** Resolves when the work of this key is done, by us or by whoever began it; a failure of somebody else's is tried again by us. */
  async run(key: string, run: SharedRun<P>): Promise<void> {
    for (;;) {
      if (run.signal.aborted) throw abortError(run.signal)
      const found = this.#tasks.get(key)
      const task = found ?? this.#begin(key, run.start)
      if (task.controller.signal.aborted) {
        await task.done.catch(() => undefined)
        continue
      }
      try {
        await this.#follow(task, run)
        return
      } catch (error) {
        if (!found || run.signal.aborted) throw error
      }
    }
  }

  #begin(key: string, start: SharedRun<P>['start']): Task<P> {
    const controller = new AbortController()
    const listeners = new Set<(progress: P) => void>()
    const report = (progress: P) => {
      task.latest = progress
      for (const listener of listeners) listener(progress)
    }
    // The work begins in a later turn: it may report at once, and `task` is not there yet.
    const done = Promise.resolve()
      .then(() => start(report, controller.signal))
      .finally(() => this.#tasks.delete(key))
    const task: Task<P> = { controller, listeners, done, latest: undefined }
    this.#tasks.set(key, task)
    return task
  }

  async #follow(task: Task<P>, { onProgress, signal }: SharedRun<P>): Promise<void> {
    // A listener of our own: the same function may follow twice.
    const listener = (progress: P) => onProgress(progress)
    task.listeners.add(listener)
    if (task.latest !== undefined) onProgress(task.latest)
    const { promise: left, resolve: leave } = Promise.withResolvers<'left'>()
    try {
      using _abort = onAbort(signal, () => leave('left'))
      if ((await Promise.race([task.done, left])) !== 'left') return
    } finally {
      task.listeners.delete(listener)
    }
    if (task.listeners.size === 0) {
      task.controller.abort(signal.reason)
      await task.done.catch(() => undefined)
    }
    throw abortError(signal)
  }
}
