import { formatBytes, formatHumanDuration } from '#base/quantity.ts'

/** Bytes with three significant digits, as docker's lists have them: "4.26MB". */
export function formatSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${Number(value.toPrecision(3))}${units[unit]}`
}

/** "3 minutes ago".   @param seconds since 1970 */
export function formatAge(seconds: number, nowMs: number): string {
  return `${formatHumanDuration(nowMs - seconds * 1000)} ago`
}

/** Go's form of a local time: "2026-11-23 04:35:41 +0000 UTC".   @param seconds since 1970 */
export function formatMoment(seconds: number): string {
  const date = new Date(seconds * 1000)
  return `${localIso(date).slice(0, 19).replace('T', ' ')} ${offsetOf(date, '')} ${zoneOf(date)}`
}

/** RFC 3339 with nine digits in local time, as docker prints events.   @param nanos since 1970 */
export function formatNanoMoment(nanos: bigint): string {
  const date = new Date(Number(nanos / 1_000_000n))
  const fraction = (nanos % 1_000_000_000n).toString().padStart(9, '0')
  const offset = date.getTimezoneOffset() === 0 ? 'Z' : offsetOf(date, ':')
  return `${localIso(date).slice(0, 19)}.${fraction}${offset}`
}

function localIso(date: Date): string {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString()
}

function offsetOf(date: Date, separator: string): string {
  const minutes = -date.getTimezoneOffset()
  const two = (value: number): string => String(Math.trunc(Math.abs(value))).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${two(minutes / 60)}${separator}${two(minutes % 60)}`
}

function zoneOf(date: Date): string {
  if (date.getTimezoneOffset() === 0) return 'UTC'
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date)
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? ''
}

/** At most `width` signs, the last of them an ellipsis when something is cut. */
export function ellipsis(text: string, width: number): string {
  const signs = [...text]
  return signs.length <= width ? text : `${signs.slice(0, width - 1).join('')}…`
}

/** The twelve digits people know an id by. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12)
}

/** Binary units with four significant digits: "15.52GiB". */
export function formatBinarySize(bytes: number): string {
  return formatBytes(bytes, 1024)
}

const named: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/** In double quotes as Go's %q has it: what is not printable is escaped, so a command cannot move the cursor. */
export function quote(text: string): string {
  const signs = [...text].map((sign) => {
    const code = sign.codePointAt(0) ?? 0
    if (named[sign] !== undefined) return named[sign]
    if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(sign)) return sign
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
  return `"${signs.join('')}"`
}
