import type { SearchResult } from '#contract/types.gen.ts'
import { command } from '../../command.ts'
import { encodeAuth, findAuth } from '../../config/credential-helper.ts'
import { filterFlag, toFilterQuery } from '../../options/filter.ts'
import { formatHelp } from '../../output/format-flag.ts'
import { ellipsis } from '../../output/human.ts'
import { type Columns, formatRows, parseRowFormat } from '../../output/table.ts'
import { integer, text, toggle } from '../../parsing/flag.ts'

const table = ['Name', 'Description', 'StarCount', 'IsOfficial']
const descriptionWidth = 45

export const searchCommand = command({
  usage: '[OPTIONS] TERM',
  summary: 'Look for images in the index of a registry',
  flags: {
    filter: filterFlag(),
    format: text('format', formatHelp),
    limit: integer('limit', 'At most so many, up to 100'),
    noTrunc: toggle('no-trunc', 'Cut nothing'),
  },
  least: 1,
  most: 1,
  async run(cli, { flags, args: [term = ''] }) {
    const auth = await findAuth(await cli.config(), hostOf(term))
    const results = await cli.client.json<SearchResult[]>('GET', '/images/search', {
      query: { term, limit: flags.limit, filters: toFilterQuery(flags.filter) },
      ...(auth && { headers: { 'X-Registry-Auth': encodeAuth(auth) } }),
    })
    const format = parseRowFormat(flags.format, table)
    const isJson = format.kind === 'json' || /^\{\{\s*json \.\s*\}\}$/.test(flags.format)
    await cli.stdout.write(await formatRows(results, searchColumns({ truncate: !flags.noTrunc, isJson }), format))
    return 0
  },
})

function hostOf(term: string): string {
  const slash = term.indexOf('/')
  const first = term.slice(0, Math.max(slash, 0))
  return /[.:]/.test(first) || first === 'localhost' ? first : 'docker.io'
}

function searchColumns({ truncate, isJson }: { truncate: boolean; isJson: boolean }): Columns<SearchResult> {
  return {
    Description: {
      heading: 'DESCRIPTION',
      value: ({ description }) => {
        const line = description.replaceAll(/[\r\n]/g, ' ')
        return truncate ? ellipsis(line, descriptionWidth) : line
      },
    },
    IsOfficial: {
      heading: 'OFFICIAL',
      value: ({ is_official: official }) => (isJson ? String(official) : official ? '[OK]' : ''),
    },
    Name: { heading: 'NAME', value: ({ name }) => name },
    StarCount: { heading: 'STARS', value: ({ star_count: stars }) => String(stars) },
  }
}
