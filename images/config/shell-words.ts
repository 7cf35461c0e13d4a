import { invalid } from '#base/errors.ts'

export type Environment = ReadonlyMap<string, string>

/** Splits at white space outside of quotes; quotes and escapes stay in the words. */
export function splitWords(text: string): string[] {
  const words: string[] = []
  let word = ''
  let quote: string | undefined
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? ''
    if (character === '\\' && quote !== "'") {
      word += character + (text[at + 1] ?? '')
      at += 1
    } else if (quote === undefined && /\s/.test(character)) {
      if (word !== '') words.push(word)
      word = ''
    } else {
      word += character
      if (quote === undefined && (character === '"' || character === "'")) quote = character
      else if (character === quote) quote = undefined
    }
  }
  return word === '' ? words : [...words, word]
}

/** A word without its quotes and escapes, with `$name`, `${name}`, `${name:-default}` and the like replaced.   @throws `invalid` in Docker's words */
export function expandWord(word: string, environment: Environment): string {
  return new Expansion(word, environment).all()
}

class Expansion {
  readonly #word: string
  readonly #environment: Environment
  #at = 0

  constructor(word: string, environment: Environment) {
    this.#word = word
    this.#environment = environment
  }

  all(): string {
    return this.#until(undefined)
  }

  #until(stop: string | undefined): string {
    let result = ''
    for (;;) {
      const character = this.#next()
      if (character === stop) return result
      if (character === undefined) throw this.#wrong(`unexpected end of statement while looking for matching ${stop}`)
      if (character === "'") result += this.#single()
      else if (character === '"') result += this.#double()
      else if (character === '$') result += this.#dollar()
      else result += character === '\\' ? (this.#next() ?? '') : character
    }
  }

  #single(): string {
    const end = this.#word.indexOf("'", this.#at)
    if (end < 0) throw this.#wrong('unexpected end of statement while looking for matching single-quote')
    const text = this.#word.slice(this.#at, end)
    this.#at = end + 1
    return text
  }

  #double(): string {
    let result = ''
    for (;;) {
      const character = this.#next()
      if (character === '"') return result
      if (character === undefined) {
        throw this.#wrong('unexpected end of statement while looking for matching double-quote')
      }
      if (character === '$') result += this.#dollar()
      else if (character === '\\') result += this.#escaped()
      else result += character
    }
  }

  /** Within double quotes a backslash is one, save before what it is needed for. */
  #escaped(): string {
    const character = this.#next() ?? ''
    return ['"', '$', '\\'].includes(character) ? character : `\\${character}`
  }

  #dollar(): string {
    if (this.#word[this.#at] !== '{') {
      const name = this.#name()
      return name === '' ? '$' : (this.#environment.get(name) ?? '')
    }
    this.#at += 1
    const name = this.#name()
    const value = this.#environment.get(name)
    if (name === '') throw this.#wrong('bad substitution')
    const operator = this.#next()
    if (operator === '}') return value ?? ''
    const countsEmpty = operator === ':'
    const isSet = value !== undefined && !(countsEmpty && value === '')
    const modifier = countsEmpty ? this.#next() : operator
    if (modifier !== '-' && modifier !== '+' && modifier !== '?') {
      throw this.#wrong(`unsupported modifier (${modifier ?? '\ufffd'}) in substitution`)
    }
    const word = this.#until('}')
    if (modifier === '+') return isSet ? word : ''
    if (!isSet && modifier === '?') throw this.#wrong(`${name}: ${word === '' ? 'is not allowed to be unset' : word}`)
    return isSet ? value : word
  }

  #name(): string {
    const [name = ''] = /^(?:[A-Za-z_]\w*|\d+|[@*#?$!-])?/.exec(this.#word.slice(this.#at)) ?? []
    this.#at += name.length
    return name
  }

  #next(): string | undefined {
    const character = this.#word[this.#at]
    this.#at += 1
    return character
  }

  #wrong(reason: string): Error {
    return invalid(`failed to process ${JSON.stringify(this.#word)}: ${reason}`)
  }
}
