import { invalid } from './errors.ts'
import { parseDurationMs } from './quantity.ts'
import { parseNanos } from './timestamp.ts'

/** `key → values` as Docker's clients send them; both wire forms of the API end here. */
export class Filters {
  readonly #values: ReadonlyMap<string, readonly string[]>

  constructor(values: ReadonlyMap<string, readonly string[]> = new Map()) {
    this.#values = values
  }

  /** @throws `invalid` naming the first key that is not in `known`, in Docker's words. */
  allowOnly(known: readonly string[]): this {
    for (const key of this.#values.keys()) {
      if (!known.includes(key)) throw invalid(`invalid filter '${key}'`)
    }
    return this
  }

  has(key: string): boolean {
    return this.#values.has(key)
  }

  get(key: string): readonly string[] {
    return this.#values.get(key) ?? []
  }

  /** True when nothing is asked for this key, or one of its values is `value`. */
  matchesExactly(key: string, value: string): boolean {
    const wanted = this.get(key)
    return wanted.length === 0 || wanted.includes(value)
  }

  /** True when nothing is asked, or some value equals, or as a regular expression matches, `value` (Docker's name filter). */
  matches(key: string, value: string): boolean {
    const wanted = this.get(key)
    return wanted.length === 0 || wanted.some((one) => one === value || toPattern(one)?.test(value) === true)
  }

  /** Labels: every asked `key` or `key=value` must be there. */
  matchesLabels(labels: Readonly<Record<string, string>>, key = 'label'): boolean {
    return this.get(key).every((wanted) => hasLabel(labels, wanted))
  }

  /** What `label!` asks: none of these `key` or `key=value` may be there. */
  lacksLabels(labels: Readonly<Record<string, string>>): boolean {
    return !this.get('label!').some((unwanted) => hasLabel(labels, unwanted))
  }

  /** When `until` is, in ms since 1970; undefined when it is not asked for.   @throws `invalid` in Docker's words */
  until(nowMs: number): number | undefined {
    const [text, ...others] = this.get('until')
    if (others.length > 0) throw invalid('more than one until filter specified')
    return text === undefined ? undefined : parseMoment(text, nowMs)
  }

  /** True, false, or undefined when the key is absent.   @throws `invalid` for other words. */
  boolean(key: string): boolean | undefined {
    const value = this.get(key)[0]
    if (value === undefined) return undefined
    if (value === '1' || value.toLowerCase() === 'true') return true
    if (value === '0' || value.toLowerCase() === 'false') return false
    throw invalid(`invalid filter '${key}=[${value}]'`)
  }
}

/** @param wanted `key` or `key=value` */
function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const at = wanted.indexOf('=')
  const name = at < 0 ? wanted : wanted.slice(0, at)
  return Object.hasOwn(labels, name) && (at < 0 || labels[name] === wanted.slice(at + 1))
}

/** Seconds since 1970, a date with or without time and zone, or a duration before now.   @returns ms since 1970
 *  @throws `invalid` in Docker's words */
function parseMoment(text: string, nowMs: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  const nanos = parseNanos(text)
  if (nanos !== undefined) return Number(nanos / 1_000_000n)
  const local = /^\d{4}-\d\d-\d\d(T\d\d(:\d\d(:\d\d(\.\d{1,9})?)?)?)?Z?$/.test(text) ? dateOf(text) : Number.NaN
  if (!Number.isNaN(local)) return local
  try {
    return nowMs - parseDurationMs(text)
  } catch (cause) {
    throw invalid(`failed to parse value as time or duration: ${JSON.stringify(text)}`, { cause })
  }
}

/** Docker takes a date of any precision; where it names no zone, the engine's. */
function dateOf(text: string): number {
  const zone = text.endsWith('Z') ? 'Z' : ''
  const [date = '', time = ''] = text.replace('Z', '').split('T')
  const [hour = '00', minute = '00', second = '00'] = time === '' ? [] : time.split(':')
  return Date.parse(`${date}T${hour}:${minute}:${second}${zone}`)
}

function toPattern(text: string): RegExp | undefined {
  try {
    return new RegExp(text)
  } catch {
    return undefined
  }
}
