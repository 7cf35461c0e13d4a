import { invalid } from '#base/errors.ts'
import { parseDurationMs } from '#base/quantity.ts'

/**
 * "42m" ago, RFC 3339, a date, or seconds since 1970 → seconds with a fraction, as the API has them; empty stays undefined.
 * @param nowMs now, in milliseconds since 1970   @throws `invalid`
 */
export function toTimestamp(text: string, nowMs: number): string | undefined {
  if (text === '') return undefined
  if (/^-?\d+(\.\d{1,9})?$/.test(text)) return text
  if (/^[\d.]+(ns|us|µs|ms|s|m|h)/.test(text)) return formatSeconds(nowMs - parseDurationMs(text), '')
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d(?::\d\d(?::\d\d)?)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?)?$/.exec(text)
  if (!match) throw invalid(`failed to parse value as time or duration: "${text}"`)
  const [, date = '', time = '00:00:00', fraction = '', zone = ''] = match
  // Without a zone the time is local, as for docker.
  const ms = Date.parse(`${date}T${`${time}:00:00`.slice(0, 8)}${zone}`)
  if (Number.isNaN(ms)) throw invalid(`failed to parse value as time or duration: "${text}"`)
  return formatSeconds(ms, fraction)
}

function formatSeconds(ms: number, fraction: string): string {
  const nanos = BigInt(Math.round(ms)) * 1_000_000n + BigInt(fraction.padEnd(9, '0') || '0')
  return `${nanos / 1_000_000_000n}.${(nanos % 1_000_000_000n).toString().padStart(9, '0')}`
}
