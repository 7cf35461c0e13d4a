import { type BerthError, invalid } from '#base/errors.ts'
import { parseGoBoolean } from '#base/go-boolean.ts'

/** One option of a command: how it is written, what it becomes. Values accumulate: `parse` gets what was there before. */
export interface Flag<T> {
  readonly name: string
  readonly short?: string
  readonly usage: string
  /** The word for the value in help ("list", "string"); empty for switches. */
  readonly word: string
  readonly initial: T
  /** What help shows as the default, when that is worth showing. */
  readonly shown?: string
  /** Set for switches: what `--flag` means when no `=value` follows. */
  readonly bare?: string
  readonly hidden?: boolean
  /** @throws `invalid` with the reason only; the parser adds which flag it was. */
  parse(text: string, before: T): T
}

export type FlagTable = Readonly<Record<string, Flag<unknown>>>
export type FlagValues<F extends FlagTable> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never }

interface Spelling {
  readonly short?: string
  readonly shown?: string
  readonly hidden?: boolean
}

export function toggle(name: string, usage: string, spelling: Spelling & { initial?: boolean } = {}): Flag<boolean> {
  const { initial = false, ...rest } = spelling
  return {
    name,
    usage,
    word: '',
    bare: 'true',
    initial,
    ...(initial && { shown: 'true' }),
    ...rest,
    parse: parseGoBoolean,
  }
}

export function text(
  name: string,
  usage: string,
  spelling: Spelling & { initial?: string; word?: string } = {},
): Flag<string> {
  const { initial = '', word = 'string', ...rest } = spelling
  const shown = initial === '' ? {} : { shown: JSON.stringify(initial) }
  return { name, usage, word, initial, ...shown, ...rest, parse: (value) => value }
}

/** May be given more than once; `check` turns one value into what is kept and throws `invalid` when it cannot be. */
export function list(
  name: string,
  usage: string,
  spelling: Spelling & { word?: string; check?: (value: string) => string } = {},
): Flag<readonly string[]> {
  const { word = 'list', check = (value: string) => value, ...rest } = spelling
  return { name, usage, word, initial: [], ...rest, parse: (value, before) => [...before, check(value)] }
}

/** Whatever needs its own grammar: undefined until given. */
export function parsed<T>(
  name: string,
  usage: string,
  word: string,
  parse: (value: string, before: T | undefined) => T,
  spelling: Spelling = {},
): Flag<T | undefined> {
  return { name, usage, word, initial: undefined, ...spelling, parse }
}

export function integer(
  name: string,
  usage: string,
  spelling: Spelling & { word?: string; min?: number; max?: number } = {},
): Flag<number | undefined> {
  const { word = 'int', min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER, ...rest } = spelling
  const name_ = min === 0 ? 'ParseUint' : 'ParseInt'
  return parsed(name, usage, word, (value) => parseInteger(value, name_, min, max), rest)
}

function parseInteger(value: string, go: string, min: number, max: number): number {
  const wrong = (why: string): BerthError => invalid(`strconv.${go}: parsing ${JSON.stringify(value)}: ${why}`)
  if (!/^[+-]?(0x[0-9a-f]+|0o?[0-7]+|0b[01]+|[0-9]+)$/i.test(value)) throw wrong('invalid syntax')
  const number = Number(value.replace(/^([+-]?)0(?=[0-7]+$)/, '$10o').replace(/^[+-]/, ''))
  const signed = value.startsWith('-') ? -number : number
  if (signed < min && min === 0) throw wrong('invalid syntax')
  if (signed < min || signed > max) throw wrong('value out of range')
  return signed
}
