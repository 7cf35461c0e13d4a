import type { Network } from '#contract/types.gen.ts'
import { command } from '../../command.ts'
import { filterFlag, toFilterQuery } from '../../options/filter.ts'
import { formatHelp } from '../../output/format-flag.ts'
import { networkColumns, networkTable } from '../../output/network-columns.ts'
import { formatRows, parseRowFormat } from '../../output/table.ts'
import { text, toggle } from '../../parsing/flag.ts'

export const lsCommand = command({
  usage: '[OPTIONS]',
  summary: 'List networks',
  flags: {
    filter: filterFlag(),
    format: text('format', formatHelp),
    noTrunc: toggle('no-trunc', 'Cut nothing'),
    quiet: toggle('quiet', 'Only ids', { short: 'q' }),
  },
  least: 0,
  most: 0,
  async run(cli, { flags }) {
    const asked = flags.format === '' && !flags.quiet ? ((await cli.config()).networksFormat ?? '') : flags.format
    const networks = await cli.client.json<Network[]>('GET', '/networks', {
      query: { filters: toFilterQuery(flags.filter) },
    })
    const byName = networks.toSorted((a, b) => a.Name.localeCompare(b.Name, 'en', { numeric: true }))
    const plainIds = flags.quiet && (asked === '' || asked === 'table')
    const format = plainIds ? ({ kind: 'lines', template: '{{.ID}}' } as const) : parseRowFormat(asked, networkTable)
    await cli.stdout.write(await formatRows(byName, networkColumns({ truncate: !flags.noTrunc }), format))
    return 0
  },
})
