import { invalid } from '#base/errors.ts'
import { parseDurationMs } from '#base/quantity.ts'
import type { Ulimit } from '#contract/types.gen.ts'

/** "1.5" → 1500000000 billionths of a CPU.   @throws `invalid` */
export function parseCpus(text: string): number {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw invalid(`failed to parse ${text} as a rational number`)
  const fraction = /\.(\d*?)0*$/.exec(text)?.[1] ?? ''
  if (fraction.length > 9) throw invalid('value is too precise')
  return Math.round(Number(text) * 1e9)
}

const limits = new Set(
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
)

/** `nofile=1024:2048`; -1 is no limit.   @throws `invalid` in Docker's words */
export function parseUlimit(text: string): Ulimit {
  const equals = text.indexOf('=')
  if (equals < 0) throw invalid(`invalid ulimit argument: ${text}`)
  const name = text.slice(0, equals)
  if (!limits.has(name)) throw invalid(`invalid ulimit type: ${name}`)
  const parts = text.slice(equals + 1).split(':')
  if (parts.length > 2 || parts[0] === '') {
    throw invalid(
      `too many limit value arguments - ${text.slice(equals + 1)}, can only have up to two, \`soft[:hard]\``,
    )
  }
  const soft = parseLimit(parts[0] ?? '')
  const hard = parts[1] === undefined ? soft : parseLimit(parts[1])
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`)
  }
  return { Name: name, Soft: soft, Hard: hard }
}

function parseLimit(text: string): number {
  if (!/^-?\d+$/.test(text)) throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

/** Go's "1m30s" → nanoseconds, as the API has durations.   @throws `invalid` */
export function parseDurationNanos(text: string): number {
  const negative = text.startsWith('-')
  if (!/^(0|([\d.]+(ns|us|µs|ms|s|m|h))+)$/.test(negative ? text.slice(1) : text)) {
    throw invalid(`time: invalid duration ${JSON.stringify(text)}`)
  }
  return Math.round(parseDurationMs(negative ? text.slice(1) : text) * 1e6) * (negative ? -1 : 1)
}
