/** Nanoseconds since 1970 as Go's RFC 3339 with nanoseconds: trailing zeros of the fraction are dropped. */
export function formatNanos(nanos: bigint): string {
  const seconds = nanos / 1_000_000_000n
  const fraction = (nanos % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '')
  const head = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return fraction === '' ? `${head}Z` : `${head}.${fraction}Z`
}

/** RFC 3339 with up to nine digits of fraction and `Z` or an offset; undefined when it is not one. */
export function parseNanos(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text)
  if (!match) return undefined
  const ms = Date.parse(`${match[1]}${match[3]}`)
  if (Number.isNaN(ms)) return undefined
  return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'))
}

/** What Go prints for a time that never was; Docker's clients test for it. */
export const zeroTime = '0001-01-01T00:00:00Z'
