import type { Clock } from '#base/clock.ts'

/** True: the work is done in time; false: the time is over.   @throws what the work throws, or `cancelled` by the signal */
export async function isInTime(
  clock: Clock,
  work: Promise<unknown>,
  { ms, signal }: { readonly ms: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const done = new AbortController()
  const late = clock.sleep(ms, { signal: AbortSignal.any([done.signal, signal]) }).then(() => false)
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    done.abort()
    late.catch(() => undefined)
  }
}
