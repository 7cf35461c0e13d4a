import { setTimeout as delay } from 'node:timers/promises'
import { abortError } from './abort.ts'

/** Time as the engine sees it; tests pass their own. */
export interface Clock {
  now(): Date
  /** Nanoseconds since 1970, as precise as the platform gives. */
  nowNanos(): bigint
  sleep(ms: number, options?: { signal?: AbortSignal }): Promise<void>
}

const longestTimerMs = 2 ** 31 - 1
const originNanos = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint()

export const systemClock: Clock = {
  now: () => new Date(),
  nowNanos() {
    const precise = originNanos + process.hrtime.bigint()
    const wall = BigInt(Date.now()) * 1_000_000n
    // The monotonic clock gives the digits below a millisecond; a stepped wall clock wins above that.
    const drift = wall - precise
    return drift > 2_000_000n || drift < -2_000_000n ? wall : precise
  },
  async sleep(ms, { signal } = {}) {
    try {
      // Node's timers hold 31 bits; a longer one would fire at once.
      let left = ms
      do {
        await delay(Math.min(left, longestTimerMs), undefined, signal ? { signal } : {})
        left -= longestTimerMs
      } while (left > 0)
    } catch (error) {
      throw signal?.aborted ? abortError(signal) : error
    }
  },
}
