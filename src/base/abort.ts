import { cancelled, timeout } from './errors.ts'

/** Throws the signal's reason as a `cancelled` error, if it was aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal)
}

/** The reason as an error of ours: BerthErrors (such as a deadline's) stay what they are. */
export function abortError(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  if (reason instanceof Error && reason.name === 'BerthError') return reason
  return cancelled('the operation was cancelled', { cause: reason })
}

/** Runs `listener` once when the signal aborts; dispose to stop listening. An already aborted signal calls it at once. */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): Disposable {
  if (signal?.aborted) listener()
  else signal?.addEventListener('abort', listener, { once: true })
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', listener) }
}

/** A signal that aborts with `timeout` after `ms`, or with `signal`. Dispose it when the work has ended. */
export function deadline(ms: number, what: string, signal?: AbortSignal): { signal: AbortSignal } & Disposable {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(timeout(`${what} took longer than ${ms} ms`)), ms)
  const parent = onAbort(signal, () => controller.abort(signal?.reason))
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer)
      parent[Symbol.dispose]()
    },
  }
}

/** Waits for `promise` no longer than the signal allows; the promise itself goes on. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  using _listener = onAbort(signal, () => reject(abortError(signal)))
  return await Promise.race([promise, aborted])
}
