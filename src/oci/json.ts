import { invalid, messageOf } from '#base/errors.ts'

/** Reads documents from outside field by field; each error names the document and the path of the field. */
export class JsonReader {
  readonly #value: unknown
  readonly #path: string

  constructor(value: unknown, path: string) {
    this.#value = value
    this.#path = path
  }

  /** @param what names the document in errors, such as `manifest sha256:…` */
  static parse(text: string, what: string): JsonReader {
    try {
      return new JsonReader(JSON.parse(text), what)
    } catch (error) {
      throw invalid(`${what} is not JSON: ${messageOf(error)}`, { cause: error })
    }
  }

  get present(): boolean {
    return this.#value !== undefined && this.#value !== null
  }

  get raw(): unknown {
    return this.#value
  }

  field(name: string): JsonReader {
    const value = Object.hasOwn(this.object(), name) ? this.object()[name] : undefined
    return new JsonReader(value, `${this.#path}.${name}`)
  }

  object(): Readonly<Record<string, unknown>> {
    if (typeof this.#value !== 'object' || this.#value === null || Array.isArray(this.#value))
      throw this.#wrong('an object')
    return this.#value as Record<string, unknown>
  }

  array(limit: number): JsonReader[] {
    if (!Array.isArray(this.#value)) throw this.#wrong('an array')
    if (this.#value.length > limit) throw invalid(`${this.#path} has more than ${limit} entries`)
    return this.#value.map((value: unknown, index) => new JsonReader(value, `${this.#path}[${index}]`))
  }

  string(): string {
    if (typeof this.#value !== 'string') throw this.#wrong('a string')
    return this.#value
  }

  /** A whole number from 0 to 2^53 - 1: a size. */
  size(): number {
    if (typeof this.#value !== 'number' || !Number.isSafeInteger(this.#value) || this.#value < 0)
      throw this.#wrong('a size')
    return this.#value
  }

  boolean(): boolean {
    if (typeof this.#value !== 'boolean') throw this.#wrong('true or false')
    return this.#value
  }

  stringMap(): Record<string, string> {
    return Object.fromEntries(
      Object.entries(this.object()).map(([key, value]) => [
        key,
        new JsonReader(value, `${this.#path}.${key}`).string(),
      ]),
    )
  }

  stringArray(limit: number): string[] {
    return this.array(limit).map((one) => one.string())
  }

  /** Undefined where the field is absent or null, else what `read` makes of it. */
  optional<T>(read: (reader: JsonReader) => T): T | undefined {
    return this.present ? read(this) : undefined
  }

  #wrong(expected: string): Error {
    return invalid(`${this.#path} is not ${expected}`)
  }
}
