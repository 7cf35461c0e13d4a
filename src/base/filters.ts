import { invalid } from './errors.ts'

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
    return this.get(key).every((wanted) => {
      const at = wanted.indexOf('=')
      const name = at < 0 ? wanted : wanted.slice(0, at)
      if (!Object.hasOwn(labels, name)) return false
      return at < 0 || labels[name] === wanted.slice(at + 1)
    })
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

function toPattern(text: string): RegExp | undefined {
  try {
    return new RegExp(text)
  } catch {
    return undefined
  }
}
