import { catalog, type Entry, findEntry, groups } from '../catalog.ts'
import type { Cli } from '../cli.ts'
import { globals } from '../globals.ts'
import type { Flag, FlagTable } from '../parsing/flag.ts'
import { type Candidate, namesOf } from './names.ts'
import { argumentSources, flagSources, type Source } from './sources.ts'

export interface Completion {
  readonly candidates: readonly Candidate[]
  /** Files may stand here too. */
  readonly files: boolean
}

/** @param words behind the program's name; the last one is what is being typed, perhaps nothing yet   @throws whatever the engine says */
export async function complete(cli: Cli, words: readonly string[]): Promise<Completion> {
  const typed = words.at(-1) ?? ''
  const top = walk(globals, words.slice(0, -1), true)
  if (top.waiting) return await fromFlag(cli, top.waiting)
  const [first, second] = top.args
  if (first === undefined)
    return typed.startsWith('-') ? await fromFlags(cli, globals, typed) : only(await commands(cli))
  if (Object.hasOwn(groups, first) && second === undefined) return only(membersOf(first))
  const found = findEntry(top.args)
  return found ? await ofCommand(cli, found.entry, top.args.slice(found.used), typed) : only([])
}

async function ofCommand(
  cli: Cli,
  { spellings, load }: Entry,
  before: readonly string[],
  typed: string,
): Promise<Completion> {
  const { flags, most = Number.POSITIVE_INFINITY, stopsAtArgument = false } = await load()
  const { args, waiting, ended } = walk(flags, before, stopsAtArgument)
  if (waiting) return await fromFlag(cli, waiting)
  if (typed.startsWith('-') && !ended) return await fromFlags(cli, flags, typed)
  const spelled = spellings[0] ?? ''
  const sources = argumentSources[spelled] ?? []
  if (args.length >= most) return only([])
  // Behind the image or container of run and exec stands a command of theirs: anything.
  if (ended && stopsAtArgument && args.length > 0) return { candidates: [], files: true }
  const source = spelled === 'container rm' && isForced(before) ? 'container' : (sources[args.length] ?? sources.at(-1))
  return without(await fromSource(cli, source ?? 'none'), args)
}

function isForced(words: readonly string[]): boolean {
  return words.some((word) => word === '--force' || /^-[a-z]*f/.test(word))
}

interface Walked {
  readonly args: readonly string[]
  /** The flag whose value comes next. */
  readonly waiting: Flag<unknown> | undefined
  /** No flag can follow. */
  readonly ended: boolean
}

/** Reads words as the parser does, without judging them. */
function walk(table: FlagTable, words: readonly string[], stopsAtArgument: boolean): Walked {
  for (let at = 0, args: string[] = []; ; at += 1) {
    const word = words[at]
    if (word === undefined) return { args, waiting: undefined, ended: false }
    if (word === '--') return { args: [...args, ...words.slice(at + 1)], waiting: undefined, ended: true }
    if (!word.startsWith('-') || word === '-') {
      args = [...args, word]
      if (stopsAtArgument) return { args: words.slice(at), waiting: undefined, ended: true }
      continue
    }
    const flag = valueFlag(table, word)
    if (!flag) continue
    at += 1
    if (at >= words.length) return { args, waiting: flag, ended: false }
  }
}

/** The flag of this word when its value is the next word. */
function valueFlag(table: FlagTable, word: string): Flag<unknown> | undefined {
  if (word.includes('=')) return undefined
  const flags = Object.values(table)
  const flag = word.startsWith('--')
    ? flags.find(({ name }) => `--${name}` === word)
    : flags.find(({ short }) => short === word.at(-1))
  return flag?.bare === undefined ? flag : undefined
}

async function fromFlags(cli: Cli, table: FlagTable, typed: string): Promise<Completion> {
  const flags = Object.values(table).filter(({ hidden }) => !hidden)
  const equals = typed.indexOf('=')
  if (equals < 0) return only(flags.map(({ name, usage }) => ({ word: `--${name}`, about: firstLine(usage) })))
  const flag = flags.find(({ name }) => `--${name}` === typed.slice(0, equals))
  return flag ? await fromFlag(cli, flag) : only([])
}

async function fromFlag(cli: Cli, { name }: Flag<unknown>): Promise<Completion> {
  const source = flagSources[name]
  return source === undefined ? { candidates: [], files: true } : await fromSource(cli, source)
}

async function fromSource(cli: Cli, source: Source): Promise<Completion> {
  if (source === 'file') return { candidates: [], files: true }
  if (source === 'none') return only([])
  return only(typeof source === 'string' ? await namesOf(cli, source) : source.map((word) => ({ word })))
}

function only(candidates: readonly Candidate[]): Completion {
  return { candidates, files: false }
}

function without({ candidates, files }: Completion, given: readonly string[]): Completion {
  return { candidates: candidates.filter(({ word }) => !given.includes(word)), files }
}

async function commands(cli: Cli): Promise<Candidate[]> {
  const short = catalog.flatMap(({ spellings, summary }) =>
    spellings.filter((one) => !one.includes(' ')).map((word) => ({ word, about: summary })),
  )
  const grouped = Object.entries(groups).map(([word, about]) => ({ word, about }))
  const plugins = (await cli.plugins()).filter(({ Err }) => Err === undefined)
  return sorted([
    ...short,
    ...grouped,
    ...plugins.map(({ Name: word, ShortDescription: about = '' }) => ({ word, about })),
  ])
}

function membersOf(group: string): Candidate[] {
  return sorted(
    catalog.flatMap(({ spellings, summary: about }) => {
      const spelled = spellings.find((one) => one.startsWith(`${group} `))
      return spelled === undefined ? [] : [{ word: spelled.slice(group.length + 1), about }]
    }),
  )
}

function sorted(candidates: readonly Candidate[]): Candidate[] {
  return candidates.toSorted((a, b) => (a.word < b.word ? -1 : 1))
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
