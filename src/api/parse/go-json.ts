import { invalid } from '#base/errors.ts'

/** As JSON.parse, with Go's words for what is wrong.   @throws `invalid` */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalid(new Scanner(text).problem(), { cause: error })
  }
}

class Wrong extends Error {}

/** Walks JSON by Go's rules until the first byte that does not fit; only used on text that is known to be bad. */
class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  problem(): string {
    try {
      this.#value('looking for beginning of value', 0)
      this.#space()
      return this.#at < this.#text.length ? 'unexpected content after JSON' : 'invalid JSON'
    } catch (error) {
      if (error instanceof Wrong) return `invalid JSON: ${error.message}`
      throw error
    }
  }

  #value(context: string, depth: number): void {
    if (depth > 10_000) throw new Wrong('exceeded max depth')
    this.#space()
    const first = this.#text[this.#at]
    const word = ['true', 'false', 'null'].find((one) => one[0] === first)
    if (first === '{') this.#object(depth)
    else if (first === '[') this.#array(depth)
    else if (first === '"') this.#string()
    else if (word !== undefined) this.#literal(word)
    else if (first !== undefined && /[-\d]/.test(first)) this.#number()
    else throw this.#wrong(context)
  }

  #object(depth: number): void {
    this.#at += 1
    this.#space()
    if (this.#take('}')) return
    for (;;) {
      this.#space()
      if (this.#text[this.#at] !== '"') throw this.#wrong('looking for beginning of object key string')
      this.#string()
      this.#space()
      if (!this.#take(':')) throw this.#wrong('after object key')
      this.#value('looking for beginning of value', depth + 1)
      this.#space()
      if (this.#take('}')) return
      if (!this.#take(',')) throw this.#wrong('after object key:value pair')
    }
  }

  #array(depth: number): void {
    this.#at += 1
    this.#space()
    if (this.#take(']')) return
    for (;;) {
      this.#value('looking for beginning of value', depth + 1)
      this.#space()
      if (this.#take(']')) return
      if (!this.#take(',')) throw this.#wrong('after array element')
    }
  }

  #string(): void {
    this.#at += 1
    for (;;) {
      const sign = this.#text[this.#at]
      if (sign === undefined || sign < ' ') throw this.#wrong('in string literal')
      this.#at += 1
      if (sign === '"') return
      if (sign !== '\\') continue
      const escaped = this.#text[this.#at] ?? ''
      if (!/["\\/bfnrtu]/.test(escaped)) throw this.#wrong('in string escape code')
      this.#at += 1
      for (let digit = 0; escaped === 'u' && digit < 4; digit += 1) {
        if (!/[\da-fA-F]/.test(this.#text[this.#at] ?? '')) throw this.#wrong('in \\u hexadecimal character escape')
        this.#at += 1
      }
    }
  }

  #literal(word: string): void {
    for (let index = 0; index < word.length; index += 1) {
      const expected = word[index]
      if (this.#text[this.#at] !== expected) throw this.#wrong(`in literal ${word} (expecting '${expected}')`)
      this.#at += 1
    }
  }

  #number(): void {
    this.#take('-')
    if (!this.#take('0')) this.#digits('in numeric literal')
    if (this.#take('.')) this.#digits('after decimal point in numeric literal')
    if (this.#take('e') || this.#take('E')) {
      if (!this.#take('+')) this.#take('-')
      this.#digits('in exponent of numeric literal')
    }
  }

  #digits(context: string): void {
    if (!/\d/.test(this.#text[this.#at] ?? '')) throw this.#wrong(context)
    while (/\d/.test(this.#text[this.#at] ?? '')) this.#at += 1
  }

  #take(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false
    this.#at += 1
    return true
  }

  #space(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at += 1
  }

  #wrong(context: string): Wrong {
    const sign = this.#text[this.#at]
    if (sign === undefined) return new Wrong('unexpected EOF')
    const shown = sign === "'" ? `'\\''` : sign === '"' ? `'"'` : `'${JSON.stringify(sign).slice(1, -1)}'`
    return new Wrong(`invalid character ${shown} ${context}`)
  }
}
