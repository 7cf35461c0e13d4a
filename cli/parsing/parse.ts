import { invalid, messageOf } from '#base/errors.ts'
import type { Flag, FlagTable, FlagValues } from './flag.ts'

export interface Parsed<F extends FlagTable> {
  readonly flags: FlagValues<F>
  /** Names (as typed, without dashes) of the flags that were given. */
  readonly given: ReadonlySet<string>
  readonly args: readonly string[]
  readonly help: boolean
}

export interface ParseOptions {
  /** False: the first argument ends the flags, so that `run image -x` gives `-x` to the container. */
  readonly interspersed: boolean
}

/**
 * Reads flags as Docker's clients do (pflag): `--name=x`, `--name x`, `-nx`, `-n x`, `-it`, `--rm=false`, `--` ends them.
 * `--help` is always known.   @throws `invalid`, in pflag's words
 */
export function parseArguments<F extends FlagTable>(
  table: F,
  argv: readonly string[],
  options: ParseOptions,
): Parsed<F> {
  const reading = new Reading(table)
  let at = 0
  while (at < argv.length) {
    const word = argv[at] ?? ''
    at += 1
    if (word === '--') {
      reading.args.push(...argv.slice(at))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      reading.args.push(word)
      if (options.interspersed) continue
      reading.args.push(...argv.slice(at))
      break
    }
    const used = word.startsWith('--') ? reading.long(word, argv[at]) : reading.shorts(word, argv[at])
    if (used) at += 1
  }
  return { flags: reading.values(), given: reading.given, args: reading.args, help: reading.help }
}

class Reading<F extends FlagTable> {
  readonly args: string[] = []
  readonly given = new Set<string>()
  help = false
  readonly #current = new Map<Flag<unknown>, unknown>()
  readonly #byName = new Map<string, Flag<unknown>>()
  readonly #byShort = new Map<string, Flag<unknown>>()
  readonly #table: F

  constructor(table: F) {
    this.#table = table
    for (const flag of Object.values(table)) {
      this.#byName.set(flag.name, flag)
      if (flag.short !== undefined) this.#byShort.set(flag.short, flag)
      this.#current.set(flag, flag.initial)
    }
  }

  /** Returns whether `next` was taken as the value. */
  long(word: string, next: string | undefined): boolean {
    const equals = word.indexOf('=')
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals)
    const flag = this.#byName.get(name)
    if (name === '' || name.startsWith('-')) throw invalid(`bad flag syntax: ${word}`)
    if (!flag) {
      if (name !== 'help') throw invalid(`unknown flag: --${name}`)
      this.help = true
      return false
    }
    if (equals >= 0) this.#set(flag, word.slice(equals + 1))
    else if (flag.bare !== undefined) this.#set(flag, flag.bare)
    else if (next === undefined) throw invalid(`flag needs an argument: --${name}`)
    else {
      this.#set(flag, next)
      return true
    }
    return false
  }

  shorts(word: string, next: string | undefined): boolean {
    for (let at = 1; at < word.length; at += 1) {
      const letter = word[at] ?? ''
      const rest = word.slice(at + 1)
      const flag = this.#byShort.get(letter)
      if (!flag) {
        if (letter !== 'h') throw invalid(`unknown shorthand flag: '${letter}' in ${word}`)
        this.help = true
        continue
      }
      if (rest.startsWith('=')) {
        this.#set(flag, rest.slice(1))
        return false
      }
      if (flag.bare !== undefined) {
        this.#set(flag, flag.bare)
        continue
      }
      if (rest !== '') {
        this.#set(flag, rest)
        return false
      }
      if (next === undefined) throw invalid(`flag needs an argument: '${letter}' in ${word}`)
      this.#set(flag, next)
      return true
    }
    return false
  }

  values(): FlagValues<F> {
    const entries = Object.entries(this.#table).map(([key, flag]) => [key, this.#current.get(flag)])
    return Object.fromEntries(entries) as FlagValues<F>
  }

  #set(flag: Flag<unknown>, value: string): void {
    try {
      this.#current.set(flag, flag.parse(value, this.#current.get(flag)))
    } catch (error) {
      const spelled = flag.short === undefined ? `--${flag.name}` : `-${flag.short}, --${flag.name}`
      throw invalid(`invalid argument ${JSON.stringify(value)} for "${spelled}" flag: ${messageOf(error)}`, {
        cause: error,
      })
    }
    this.given.add(flag.name)
  }
}
