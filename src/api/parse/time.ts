import { invalid } from '#base/errors.ts'
import { parseDurationMs } from '#base/quantity.ts'
import { parseNanos } from '#base/timestamp.ts'

/**
 * `since` and `until`: Unix seconds with up to nine digits of fraction, RFC 3339, or a Go duration before now.
 * @returns nanoseconds since 1970; undefined when absent   @throws `invalid` in Go's words
 */
export function parseTimeParameter(text: string | undefined, now: bigint): bigint | undefined {
  if (text === undefined) return undefined
  const seconds = /^(-?\d+)(?:\.(\d{1,9})\d*)?$/.exec(text)
  if (seconds) {
    return BigInt(seconds[1] ?? 0) * 1_000_000_000n + BigInt((seconds[2] ?? '').padEnd(9, '0'))
  }
  const instant = parseNanos(text)
  if (instant !== undefined) return instant
  if (/^[\d.]+(ns|us|µs|ms|s|m|h)/.test(text)) return now - BigInt(Math.trunc(parseDurationMs(text) * 1e6))
  throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
}
