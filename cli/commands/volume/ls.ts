import type { VolumeList } from '#contract/types.gen.ts'
import { command } from '../../command.ts'
import { filterFlag, toFilterQuery } from '../../options/filter.ts'
import { formatHelp } from '../../output/format-flag.ts'
import { formatRows, parseRowFormat } from '../../output/table.ts'
import { volumeColumns, volumeTable } from '../../output/volume-columns.ts'
import { text, toggle } from '../../parsing/flag.ts'

export const lsCommand = command({
  usage: '[OPTIONS]',
  summary: 'List volumes',
  flags: {
    filter: filterFlag(),
    format: text('format', formatHelp),
    quiet: toggle('quiet', 'Only names', { short: 'q' }),
  },
  least: 0,
  most: 0,
  async run(cli, { flags }) {
    const asked = flags.format === '' && !flags.quiet ? ((await cli.config()).volumesFormat ?? '') : flags.format
    const { Volumes, Warnings } = await cli.client.json<VolumeList>('GET', '/volumes', {
      query: { filters: toFilterQuery(flags.filter) },
    })
    for (const warning of Warnings ?? []) await cli.stderr.write(`WARNING: ${warning}\n`)
    const byName = Volumes.toSorted((a, b) => a.Name.localeCompare(b.Name, 'en', { numeric: true }))
    const plainNames = flags.quiet && (asked === '' || asked === 'table')
    const format = plainNames ? ({ kind: 'lines', template: '{{.Name}}' } as const) : parseRowFormat(asked, volumeTable)
    await cli.stdout.write(await formatRows(byName, volumeColumns, format))
    return 0
  },
})
