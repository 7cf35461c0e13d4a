import { invalid } from '#base/errors.ts'

/** Query parameters by the names that the operation has, read as Docker reads them. */
export class Query<N extends string> {
  readonly #values: URLSearchParams

  constructor(values: URLSearchParams) {
    this.#values = values
  }

  has(name: N): boolean {
    return this.#values.has(name)
  }

  /** The first value; undefined when absent or empty. */
  text(name: N): string | undefined {
    const value = this.#values.get(name)
    return value === null || value === '' ? undefined : value
  }

  /** Every value, of a parameter that may be repeated. */
  texts(name: N): readonly string[] {
    return this.#values.getAll(name)
  }

  /** Anything but empty, 0, no, false and none is true. */
  boolean(name: N): boolean {
    const value = (this.#values.get(name) ?? '').trim().toLowerCase()
    return !['', '0', 'no', 'false', 'none'].includes(value)
  }

  /** Undefined when absent or empty.   @throws `invalid` in Go's words */
  integer(name: N): number | undefined {
    const value = this.text(name)
    return value === undefined ? undefined : parseInteger(value)
  }
}

/** @throws `invalid` as Go's strconv.Atoi */
export function parseInteger(text: string): number {
  const value = Number(text)
  if (!/^[+-]?\d+$/.test(text)) throw invalid(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  if (!Number.isSafeInteger(value)) throw invalid(`strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`)
  return value
}
