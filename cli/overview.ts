import { catalog, commonCommands, groups } from './catalog.ts'
import type { Cli } from './cli.ts'
import type { FlagTable } from './parsing/flag.ts'
import { formatFlags, formatSummaries } from './parsing/help.ts'

interface Line {
  readonly name: string
  readonly summary: string
}

/** What `berth --help` prints. `daemon` is served before this program is asked, and told of here. */
export async function formatOverview(cli: Cli, globals: FlagTable): Promise<string> {
  const { program } = cli
  const plugins = await cli.plugins()
  const short = catalog.flatMap(({ spellings, summary }) => {
    const name = spellings.find((one) => !one.includes(' '))
    return name === undefined ? [] : [{ name, summary }]
  })
  const common = commonCommands.flatMap((wanted) => short.filter(({ name }) => name === wanted))
  const others = sorted(short.filter(({ name }) => !commonCommands.includes(name)))
  const grouped = Object.entries(groups).map(([name, summary]) => ({ name, summary }))
  const working = plugins.filter(({ Err }) => Err === undefined)
  const management = sorted([
    ...grouped,
    ...working.map(({ Name, ShortDescription = '' }) => ({ name: `${Name}*`, summary: ShortDescription })),
  ])
  const broken = plugins.flatMap(({ Name, Err }) => (Err === undefined ? [] : [{ name: Name, summary: Err }]))
  const engine: Line[] = [{ name: 'daemon', summary: 'Run the engine and serve its API' }]
  return [
    `Usage:  ${program} [OPTIONS] COMMAND\n\nA container engine in one binary\n`,
    `\nCommon Commands:\n${formatSummaries(common)}`,
    `\nManagement Commands:\n${formatSummaries(management)}`,
    ...(program === 'docker' ? [] : [`\nEngine Commands:\n${formatSummaries(engine)}`]),
    `\nCommands:\n${formatSummaries(others)}`,
    ...(broken.length === 0 ? [] : [`\nInvalid Plugins:\n${formatSummaries(broken)}`]),
    `\nGlobal Options:\n${formatFlags(Object.values(globals))}`,
    `\nRun '${program} COMMAND --help' for more information on a command.\n`,
  ].join('')
}

/** What `berth container` prints. */
export function formatGroup(program: string, group: string): string {
  const members = catalog.flatMap(({ spellings, summary }) => {
    const name = spellings.find((one) => one.startsWith(`${group} `))
    return name === undefined ? [] : [{ name: name.slice(group.length + 1), summary }]
  })
  return [
    `Usage:  ${program} ${group} COMMAND\n\n${groups[group] ?? ''}\n`,
    `\nCommands:\n${formatSummaries(sorted(members))}`,
    `\nRun '${program} ${group} COMMAND --help' for more information on a command.\n`,
  ].join('')
}

function sorted(lines: readonly Line[]): Line[] {
  return lines.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
