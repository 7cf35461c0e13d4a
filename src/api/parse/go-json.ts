import { invalid } from '#base/errors.ts'

/** Of Go's decoder. */
const maxDepth = 10_000

/** As JSON.parse, with Go's words for what is wrong, and no deeper than Go goes.   @throws `invalid` */
export function parseJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalid(new Scanner(text).problem(), { cause: error })
  }
  if (isTooDeep(text)) throw invalid('invalid JSON: exceeded max depth')
  return value
}

/** @param text valid JSON */
function isTooDeep(text: string): boolean {
  if (text.length <= maxDepth) return false
  let depth = 0
  let isString = false
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at]
    if (isString && sign === '\\') at += 1
    else if (sign === '"') isString = !isString
    else if (isString) continue
    else if (sign === '{' || sign === '[') depth += 1
    else if (sign === '}' || sign === ']') depth -= 1
    if (depth > maxDepth) return true
  }
  return false
}

class Wrong extends Error {}

/** Walks JSON by Go's rules until the first byte that does not fit; only used on text that is known to be bad. */
class Scanner {
  readonly #text: string
  #at = 0
  /** What is open: the text may be deeper than our stack. */
  readonly #open: ('{' | '[')[] = []

  constructor(text: string) {
    this.#text = text
  }

  problem(): string {
    try {
      do this.#value()
      while (this.#hasNext())
      this.#space()
      return this.#at < this.#text.length ? 'unexpected content after JSON' : 'invalid JSON'
    } catch (error) {
      if (error instanceof Wrong) return `invalid JSON: ${error.message}`
      throw error
    }
  }

  /** A value without any in it: of a list or object that is not empty, its first one. */
  #value(): void {
    for (let first = this.#next(); first === '{' || first === '['; first = this.#next()) {
      if (this.#isEmptyAfter(first)) return
    }
    const first = this.#text[this.#at]
    const word = ['true', 'false', 'null'].find((one) => one[0] === first)
    if (first === '"') this.#string()
    else if (word !== undefined) this.#literal(word)
    else if (first !== undefined && /[-\d]/.test(first)) this.#number()
    else throw this.#wrong('looking for beginning of value')
  }

  #next(): string | undefined {
    this.#space()
    return this.#text[this.#at]
  }

  /** Opens a list or object. */
  #isEmptyAfter(sign: '{' | '['): boolean {
    this.#at += 1
    this.#open.push(sign)
    if (this.#open.length > maxDepth) throw new Wrong('exceeded max depth')
    if (this.#next() === (sign === '{' ? '}' : ']')) return true
    if (sign === '{') this.#key()
    return false
  }

  /** Behind a value: true when another one follows, false when all that was open is closed. */
  #hasNext(): boolean {
    for (;;) {
      const inside = this.#open.at(-1)
      if (inside === undefined) return false
      this.#space()
      if (this.#take(inside === '{' ? '}' : ']')) this.#open.pop()
      else if (!this.#take(','))
        throw this.#wrong(`after ${inside === '{' ? 'object key:value pair' : 'array element'}`)
      else {
        if (inside === '{') this.#key()
        return true
      }
    }
  }

  #key(): void {
    this.#space()
    if (this.#text[this.#at] !== '"') throw this.#wrong('looking for beginning of object key string')
    this.#string()
    this.#space()
    if (!this.#take(':')) throw this.#wrong('after object key')
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
