import { invalid } from '#base/errors.ts'
import type { ImageSummary } from '#contract/types.gen.ts'
import { command } from '../../command.ts'
import { filterFlag, toFilterQuery } from '../../options/filter.ts'
import { formatHelp } from '../../output/format-flag.ts'
import { digestTable, imageColumns, imageTable, toImageRows } from '../../output/image-columns.ts'
import { formatImageTree } from '../../output/image-tree.ts'
import { formatRows, parseRowFormat } from '../../output/table.ts'
import { text, toggle } from '../../parsing/flag.ts'

export const imagesCommand = command({
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  summary: 'List images',
  flags: {
    all: toggle('all', 'Intermediate images too', { short: 'a' }),
    digests: toggle('digests', 'Digests too'),
    filter: filterFlag(),
    format: text('format', formatHelp),
    noTrunc: toggle('no-trunc', 'Cut nothing'),
    quiet: toggle('quiet', 'Only ids', { short: 'q' }),
    tree: toggle('tree', 'The platforms below each image'),
  },
  least: 0,
  most: 1,
  async run(cli, { flags, args: [name] }) {
    const filters = name === undefined ? flags.filter : [...flags.filter, `reference=${name}`]
    if (flags.tree) refuseBesideTree(flags)
    const images = await cli.client.json<ImageSummary[]>('GET', '/images/json', {
      query: { all: flags.all, filters: toFilterQuery(filters), manifests: flags.tree },
    })
    if (flags.tree) {
      await cli.stdout.write(formatImageTree(images))
      return 0
    }
    const asked = flags.format === '' && !flags.quiet ? ((await cli.config()).imagesFormat ?? '') : flags.format
    const digests = flags.digests || /\{\{[^}]*\.Digest\b/.test(asked)
    const rows = toImageRows(images, digests)
    const columns = imageColumns({ truncate: !flags.noTrunc, nowMs: Date.now() })
    const plainIds = flags.quiet && (asked === '' || asked === 'table')
    const format = plainIds
      ? ({ kind: 'lines', template: '{{.ID}}' } as const)
      : parseRowFormat(asked, flags.digests ? digestTable : imageTable)
    await cli.stdout.write(await formatRows(rows, columns, format))
    return 0
  },
})

/** @throws `invalid` in docker's words */
function refuseBesideTree(flags: Readonly<Record<'quiet' | 'noTrunc' | 'digests', boolean> & { format: string }>) {
  const unable = (flag: string) => invalid(`${flag} is not yet supported with --tree`)
  if (flags.quiet) throw unable('--quiet')
  if (flags.noTrunc) throw unable('--no-trunc')
  if (flags.digests) throw unable('--show-digest')
  if (flags.format !== '') throw unable('--format')
}
