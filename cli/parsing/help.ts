import type { Command } from '../command.ts'
import type { Flag } from './flag.ts'

/** The usage of a flag as pflag prints it: a word in back quotes names the value. */
function describe(flag: Flag<unknown>): string {
  const shown = flag.shown === undefined ? '' : ` (default ${flag.shown})`
  return `${flag.usage}${shown}`
}

/** "Options:" of a command: names in one column, texts in another, wrapped to `columns` (docker leaves the last of 80 free). */
export function formatFlags(flags: readonly Flag<unknown>[], columns = 79): string {
  const rows = flags
    .filter((flag) => !flag.hidden)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((flag) => {
      const short = flag.short === undefined ? '      ' : `  -${flag.short}, `
      return { left: `${short}--${flag.name}${flag.word === '' ? '' : ` ${flag.word}`}`, right: describe(flag) }
    })
  const width = Math.max(...rows.map(({ left }) => left.length)) + 3
  return rows.map(({ left, right }) => `${left.padEnd(width)}${wrap(right, width, columns)}\n`).join('')
}

const slop = 5

/** Breaks as pflag does: at the first line end or else the last space that fits; a rest that is hardly too long stays whole. */
function wrap(text: string, indent: number, columns: number): string {
  const room = Math.max(columns - indent, 24) - slop
  const lines: string[] = []
  let rest = text
  while (rest.length >= room + slop || rest.slice(0, room).includes('\n')) {
    const head = rest.slice(0, room)
    const space = Math.max(head.lastIndexOf(' '), head.lastIndexOf('\n'))
    if (space <= 0) break
    const newline = head.indexOf('\n')
    const end = newline > 0 ? newline : space
    lines.push(rest.slice(0, end))
    rest = rest.slice(end + 1)
  }
  return [...lines, rest].join(`\n${' '.repeat(indent)}`)
}

/** What `--help` of one command prints.   @param spelled program and command as they were typed */
export function formatCommandHelp(
  program: string,
  spelled: string,
  command: Command,
  spellings: readonly string[],
): string {
  const aliases =
    spellings.length > 1 ? `\nAliases:\n  ${spellings.map((one) => `${program} ${one}`).join(', ')}\n` : ''
  const flags = Object.values(command.flags)
  const options = flags.length === 0 ? '' : `\nOptions:\n${formatFlags(flags)}`
  return `${`Usage:  ${spelled} ${command.usage}`.trimEnd()}\n\n${command.summary}\n${aliases}${options}`
}

/** Two columns of names and summaries. */
export function formatSummaries(entries: readonly { readonly name: string; readonly summary: string }[]): string {
  const width = Math.max(12, ...entries.map(({ name }) => name.length + 2))
  return entries.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}\n`).join('')
}
