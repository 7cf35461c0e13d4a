import type { ContainerSummary } from '#contract/types.gen.ts'
import { command } from '../../command.ts'
import { filterFlag, toFilterQuery } from '../../options/filter.ts'
import { containerColumns, containerTable } from '../../output/container-columns.ts'
import { formatHelp } from '../../output/format-flag.ts'
import { formatRows, parseRowFormat } from '../../output/table.ts'
import { integer, text, toggle } from '../../parsing/flag.ts'

export const psCommand = command({
  usage: '[OPTIONS]',
  summary: 'List containers',
  flags: {
    all: toggle('all', 'Stopped ones too', { short: 'a' }),
    filter: filterFlag(),
    format: text('format', formatHelp),
    last: integer('last', 'The newest n, also stopped ones', { short: 'n' }),
    latest: toggle('latest', 'The newest one, also when it is stopped', { short: 'l' }),
    noTrunc: toggle('no-trunc', 'Cut nothing'),
    quiet: toggle('quiet', 'Only ids', { short: 'q' }),
    size: toggle('size', 'Show how much they have written', { short: 's' }),
  },
  least: 0,
  most: 0,
  async run(cli, { flags }) {
    const limit = flags.latest ? 1 : (flags.last ?? -1)
    const asked = flags.format === '' && !flags.quiet ? ((await cli.config()).psFormat ?? '') : flags.format
    const size = flags.size || /\{\{[^}]*(?:\.Size\b|\bjson \.\s*\}\})/.test(asked)
    const containers = await cli.client.json<ContainerSummary[]>('GET', '/containers/json', {
      query: {
        all: flags.all || limit > 0,
        limit: limit > 0 ? limit : undefined,
        size,
        filters: toFilterQuery(flags.filter),
      },
    })
    const columns = containerColumns({ truncate: !flags.noTrunc, nowMs: Date.now() })
    const standard = flags.size ? [...containerTable, 'Size'] : containerTable
    if (flags.quiet && asked !== '') {
      await cli.stderr.write('WARNING: Ignoring custom format, because both --format and --quiet are set.\n')
    }
    const format = flags.quiet ? ({ kind: 'lines', template: '{{.ID}}' } as const) : parseRowFormat(asked, standard)
    await cli.stdout.write(await formatRows(containers, columns, format))
    return 0
  },
})
