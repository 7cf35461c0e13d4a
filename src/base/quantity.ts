import { invalid } from './errors.ts'

const unitOf: Record<string, number> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50 }

/** "512m", "1.5GiB", "64kb" → bytes, binary units as docker's flags have them.   @throws `invalid` */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?$/i.exec(text.trim())
  if (!match) throw invalid(`invalid size: '${text}'`)
  return Math.trunc(Number(match[1]) * (unitOf[(match[2] ?? '').toLowerCase()] ?? 1))
}

/** So much, or a part of the whole. */
export type Amount = { readonly bytes: number } | { readonly percent: number }

/** "50GB" or "5%".   @throws `invalid` */
export function parseAmount(text: string): Amount {
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim())?.[1]
  if (percent === undefined) return { bytes: parseBytes(text) }
  if (Number(percent) > 100) throw invalid(`invalid share: '${text}' is more than all`)
  return { percent: Number(percent) }
}

/** Bytes in decimal units with four significant digits, as docker prints sizes: "1.24MB". */
export function formatBytes(bytes: number, base: 1000 | 1024 = 1000): string {
  const units = base === 1000 ? ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] : ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  while (value >= base && unit < units.length - 1) {
    value /= base
    unit += 1
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`
}

const durationUnitMs: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Go's "1m30s" → milliseconds.   @throws `invalid` */
export function parseDurationMs(text: string): number {
  if (text === '0') return 0
  if (!/^([\d.]+(ns|us|µs|ms|s|m|h))+$/.test(text)) throw invalid(`invalid duration: '${text}'`)
  let total = 0
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(amount) * (durationUnitMs[unit ?? ''] ?? 0)
  }
  return total
}

/** As Go prints a duration: `1m30s`, `1.2s`, `700ms`.   @param ms not negative */
export function formatGoDuration(ms: number): string {
  if (ms === 0) return '0s'
  if (ms < 1000) return `${ms}ms`
  const hours = Math.trunc(ms / 3_600_000)
  const minutes = Math.trunc((ms % 3_600_000) / 60_000)
  const seconds = (ms % 60_000) / 1000
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`
}

/** How long ago in words, as docker's tables have it: "Less than a second", "3 minutes", "About an hour". */
export function formatHumanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000)
  if (seconds < 1) return 'Less than a second'
  if (seconds === 1) return '1 second'
  if (seconds < 60) return `${seconds} seconds`
  const minutes = Math.trunc(seconds / 60)
  if (minutes === 1) return 'About a minute'
  if (minutes < 60) return `${minutes} minutes`
  const hours = Math.round(seconds / 3600)
  if (hours === 1) return 'About an hour'
  if (hours < 48) return `${hours} hours`
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`
  return `${Math.trunc(hours / 24 / 365)} years`
}
