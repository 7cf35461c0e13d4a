import { invalid } from '#base/errors.ts'
import { quote } from '../human.ts'

export type TemplateFunction = (...values: readonly unknown[]) => unknown

const text = (value: unknown): string => (typeof value === 'string' ? value : formatValue(value))

/** What docker's templates offer: Go's own functions and docker's. */
export const functions: Readonly<Record<string, TemplateFunction>> = {
  json: (value) => toJson(value),
  join: (values, separator) => (Array.isArray(values) ? values.map(text).join(text(separator)) : text(values)),
  split: (value, separator) => text(value).split(text(separator)),
  lower: (value) => text(value).toLowerCase(),
  upper: (value) => text(value).toUpperCase(),
  title: (value) => text(value).replace(/(^|\s)\p{L}/gu, (letter) => letter.toUpperCase()),
  pad: (value, before, after) =>
    value === '' ? '' : ' '.repeat(Number(before)) + text(value) + ' '.repeat(Number(after)),
  truncate: (value, length) => [...text(value)].slice(0, Number(length)).join(''),
  println: (...values) => `${values.map(text).join(' ')}\n`,
  print: (...values) => values.map(text).join(''),
  printf: (format, ...values) => formatPrintf(text(format), values),
  len: (value) => lengthOf(value),
  index: (value, ...keys) => keys.reduce(indexInto, value),
  slice: (value, from, to) => sliceOf(value, from, to),
  not: (value) => !isTrue(value),
  and: (...values) => values[values.findIndex((value, at) => !isTrue(value) || at === values.length - 1)],
  or: (...values) => values.find(isTrue) ?? values.at(-1),
  eq: (value, ...others) => others.some((other) => value === other),
  ne: (value, other) => value !== other,
  lt: (value, other) => compare(value, other) < 0,
  le: (value, other) => compare(value, other) <= 0,
  gt: (value, other) => compare(value, other) > 0,
  ge: (value, other) => compare(value, other) >= 0,
}

/** Go's truth: not false, zero, nil, or empty. */
export function isTrue(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return false
  if (Array.isArray(value)) return value.length > 0
  return typeof value !== 'object' || Object.keys(value).length > 0
}

/** As Go prints it: `[a b]`, `map[k:v]`, `<no value>`. */
export function formatValue(value: unknown, inside = false): string {
  if (value === undefined || value === null) return inside ? '<nil>' : '<no value>'
  if (Array.isArray(value)) return `[${value.map((one) => formatValue(one, true)).join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `map[${entries.map(([key, one]) => `${key}:${formatValue(one, true)}`).join(' ')}]`
}

/** Rows of tables become objects of their fields; Go escapes the three signs of HTML unless told otherwise, docker tells it. */
function toJson(value: unknown): string {
  return JSON.stringify(value ?? null, (_key, one: unknown) => (typeof one === 'function' ? undefined : one))
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (Array.isArray(value)) return value.length
  if (typeof value === 'object' && value !== null) return Object.keys(value).length
  throw invalid(`template: error calling len: len of ${formatValue(value, true)}`)
}

function indexInto(value: unknown, key: unknown): unknown {
  if (Array.isArray(value) || typeof value === 'string') {
    const at = Number(key)
    if (!Number.isInteger(at) || at < 0 || at >= value.length) {
      throw invalid(`template: error calling index: index out of range: ${formatValue(key, true)}`)
    }
    return typeof value === 'string' ? value.charCodeAt(at) : value[at]
  }
  if (typeof value !== 'object' || value === null) throw invalid('template: error calling index: index of untyped nil')
  return Object.hasOwn(value, String(key)) ? (value as Record<string, unknown>)[String(key)] : null
}

function sliceOf(value: unknown, from: unknown = 0, to?: unknown): unknown {
  if (typeof value !== 'string' && !Array.isArray(value))
    throw invalid('template: error calling slice: cannot slice this item')
  const end = to === undefined ? value.length : Number(to)
  if (Number(from) > end || end > value.length)
    throw invalid(`template: error calling slice: index out of range: ${end}`)
  return value.slice(Number(from), end)
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  throw invalid('template: error calling lt: incompatible types for comparison')
}

function formatPrintf(format: string, values: readonly unknown[]): string {
  let next = 0
  return format.replace(
    /%(-?)(0?)(\d*)(?:\.(\d+))?([vsdqxtf%])/g,
    (_whole, left: string, zero: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%'
      const value = values[next]
      next += 1
      const shown = formatVerb(verb, value, precision === undefined ? undefined : Number(precision))
      if (left !== '') return shown.padEnd(Number(width))
      return shown.padStart(Number(width), zero === '' ? ' ' : '0')
    },
  )
}

function formatVerb(verb: string, value: unknown, precision: number | undefined): string {
  switch (verb) {
    case 'q':
      return quote(text(value))
    case 'x':
      return typeof value === 'number' ? value.toString(16) : Buffer.from(text(value)).toString('hex')
    case 'f':
      return Number(value).toFixed(precision ?? 6)
    default:
      return precision === undefined ? text(value) : [...text(value)].slice(0, precision).join('')
  }
}
