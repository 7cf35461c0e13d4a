import type { ImageHistoryItem } from '#contract/types.gen.ts'
import { imagePath, toPlatformJson } from '../../client/images.ts'
import { command } from '../../command.ts'
import { formatHelp } from '../../output/format-flag.ts'
import { ellipsis, formatAge, formatSize, shortId } from '../../output/human.ts'
import { type Columns, formatRows, parseRowFormat } from '../../output/table.ts'
import { text, toggle } from '../../parsing/flag.ts'

const table = ['ID', 'CreatedSince', 'CreatedBy', 'Size', 'Comment']

export const historyCommand = command({
  usage: '[OPTIONS] IMAGE',
  summary: 'Show how an image was made',
  flags: {
    format: text('format', formatHelp),
    human: toggle('human', 'Sizes and times for people', { short: 'H', initial: true }),
    noTrunc: toggle('no-trunc', 'Cut nothing'),
    platform: text('platform', 'Of this platform, as os[/arch[/variant]]'),
    quiet: toggle('quiet', 'Only ids', { short: 'q' }),
  },
  least: 1,
  most: 1,
  async run(cli, { flags, args: [name = ''] }) {
    const items = await cli.client.json<ImageHistoryItem[]>('GET', imagePath(name, '/history'), {
      query: { platform: toPlatformJson(flags.platform) },
    })
    const columns = historyColumns({ truncate: !flags.noTrunc, human: flags.human, nowMs: Date.now() })
    const format = flags.quiet ? ({ kind: 'lines', template: '{{.ID}}' } as const) : parseRowFormat(flags.format, table)
    await cli.stdout.write(await formatRows(items, columns, format))
    return 0
  },
})

interface HistoryView {
  readonly truncate: boolean
  readonly human: boolean
  readonly nowMs: number
}

function historyColumns({ truncate, human, nowMs }: HistoryView): Columns<ImageHistoryItem> {
  const moment = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
  return {
    ID: { heading: 'IMAGE', value: ({ Id }) => (truncate ? shortId(Id) : Id) },
    CreatedAt: { heading: 'CREATED AT', value: ({ Created }) => moment(Created) },
    CreatedSince: {
      heading: human ? 'CREATED' : 'CREATED AT',
      value: ({ Created }) => (human ? (Created > 0 ? formatAge(Created, nowMs) : 'N/A') : moment(Created)),
    },
    CreatedBy: {
      heading: 'CREATED BY',
      value: ({ CreatedBy }) => {
        const line = CreatedBy.replaceAll('\t', ' ')
        return truncate ? ellipsis(line, 45) : line
      },
    },
    Size: { heading: 'SIZE', value: ({ Size }) => (human ? formatSize(Size) : String(Size)) },
    Comment: { heading: 'COMMENT', value: ({ Comment }) => Comment },
  }
}
