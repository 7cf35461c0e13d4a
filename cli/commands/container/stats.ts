import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '#base/errors.ts'
import type { ContainerStats, ContainerSummary } from '#contract/types.gen.ts'
import type { Cli } from '../../cli.ts'
import { readJsonLines } from '../../client/client.ts'
import { containerPath } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { ExitError } from '../../exit-error.ts'
import { formatHelp } from '../../output/format-flag.ts'
import { shortId } from '../../output/human.ts'
import { type StatsRow, statsColumns, statsTable } from '../../output/stats-columns.ts'
import { type Columns, formatRows, parseRowFormat, type RowFormat } from '../../output/table.ts'
import { text, toggle } from '../../parsing/flag.ts'
import { FollowedStats } from './follow-stats.ts'

const frameMs = 500
const home = '\x1b[H'
const clearToLineEnd = '\x1b[K'
const clearBelow = '\x1b[J'

export const statsCommand = command({
  usage: '[OPTIONS] [CONTAINER...]',
  summary: 'Show what containers use, as it changes',
  flags: {
    all: toggle('all', 'Stopped ones too', { short: 'a' }),
    format: text('format', formatHelp),
    noStream: toggle('no-stream', 'Only once'),
    noTrunc: toggle('no-trunc', 'Cut nothing'),
  },
  least: 0,
  async run(cli, { flags, args }) {
    const asked = flags.format === '' ? ((await cli.config()).statsFormat ?? '') : flags.format
    const shown = {
      columns: statsColumns({ truncate: !flags.noTrunc }),
      format: parseRowFormat(asked, statsTable),
    }
    if (!flags.noStream) return await follow(cli, { names: args, all: flags.all, ...shown })
    const rows = await once(cli, args.length > 0 ? args : await listNames(cli, flags.all))
    await cli.stdout.write(await formatRows(rows, shown.columns, shown.format))
    return 0
  },
})

/** Ids of the containers that are meant when none is named. */
async function listNames(cli: Cli, all: boolean): Promise<string[]> {
  const listed = await cli.client.json<ContainerSummary[]>('GET', '/containers/json', { query: { all } })
  return listed.map(({ Id }) => shortId(Id))
}

async function once(cli: Cli, names: readonly string[]): Promise<StatsRow[]> {
  const answers = await Promise.allSettled(
    names.map((name) =>
      cli.client.json<ContainerStats>('GET', containerPath(name, '/stats'), { query: { stream: '0' } }),
    ),
  )
  const failures = answers.flatMap((one) => (one.status === 'rejected' ? [messageOf(one.reason)] : []))
  if (failures.length > 0) throw new ExitError(1, failures.join('\n'))
  return answers.flatMap((one, at) =>
    one.status === 'fulfilled' ? [{ asked: names[at] ?? '', stats: one.value }] : [],
  )
}

interface Following {
  readonly names: readonly string[]
  readonly all: boolean
  readonly columns: Columns<StatsRow>
  readonly format: RowFormat
}

/** Draws twice a second until nothing is left of what was named, or for ever. */
async function follow(cli: Cli, { names, all, columns, format }: Following): Promise<number> {
  const followed = new FollowedStats(async (name) => {
    const { body } = await cli.client.stream('GET', containerPath(name, '/stats'))
    return readJsonLines<ContainerStats>(body)
  })
  if (names.length > 0) followed.add(names)
  await followed.ready()
  while (!cli.stdout.closed) {
    if (names.length === 0) followed.keep(await listNames(cli, all))
    await cli.stdout.write(toFrame(await formatRows(followed.rows(), columns, format), cli.stdout.isTerminal))
    if (names.length > 0 && followed.rows().length === 0) break
    await sleep(frameMs)
  }
  return 0
}

/** Over the frame before, without a flicker. */
function toFrame(rows: string, isTerminal: boolean): string {
  return isTerminal ? `${home}${rows.replaceAll('\n', `${clearToLineEnd}\n`)}${clearBelow}` : rows
}
