import { readLines } from '../../client/client.ts'
import { command } from '../../command.ts'
import { filterFlag, toFilterQuery } from '../../options/filter.ts'
import { toTimestamp } from '../../options/timestamp.ts'
import { objectFormatHelp } from '../../output/format-flag.ts'
import { formatNanoMoment } from '../../output/human.ts'
import { text } from '../../parsing/flag.ts'

export const eventsCommand = command({
  usage: '[OPTIONS]',
  summary: 'Show what happens in the engine, as it happens',
  flags: {
    filter: filterFlag(),
    format: text('format', objectFormatHelp),
    since: text('since', 'Begin at this time'),
    until: text('until', 'End at this time'),
  },
  least: 0,
  most: 0,
  async run(cli, { flags }) {
    const now = Date.now()
    const print = await printerOf(flags.format)
    const { body } = await cli.client.stream('GET', '/events', {
      query: {
        since: toTimestamp(flags.since, now),
        until: toTimestamp(flags.until, now),
        filters: toFilterQuery(flags.filter),
      },
    })
    for await (const line of readLines(body)) {
      await cli.stdout.write(print(line))
      if (cli.stdout.closed) break
    }
    return 0
  },
})

interface Event {
  readonly Type: string
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes?: Readonly<Record<string, string>> }
  readonly timeNano?: number
}

/** Lines are passed on as they came for JSON: nanoseconds are larger than what a number here can hold. */
async function printerOf(format: string): Promise<(line: string) => string> {
  if (format === '') return (line) => formatEvent(line)
  if (format === 'json') return (line) => `${line}\n`
  const { formatObject } = await import('../../output/format-flag.ts')
  return (line) => formatObject({ ...(JSON.parse(line) as object), ...toFieldNames(line) }, format)
}

/** Templates of docker name the fields as its Go type does. */
function toFieldNames(line: string): Record<string, unknown> {
  const { status, id, from, scope, time } = JSON.parse(line) as Record<string, unknown>
  return {
    Status: status ?? '',
    ID: id ?? '',
    From: from ?? '',
    Scope: scope ?? '',
    Time: time ?? 0,
    TimeNano: nanosIn(line),
  }
}

function nanosIn(line: string): string {
  return /"timeNano":(\d+)/.exec(line)?.[1] ?? '0'
}

function formatEvent(line: string): string {
  const { Type, Action, Actor } = JSON.parse(line) as Event
  const nanos = BigInt(nanosIn(line))
  const attributes = Object.entries(Actor.Attributes ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
  const when = nanos === 0n ? '' : `${formatNanoMoment(nanos)} `
  const details = attributes.length === 0 ? '' : ` (${attributes.join(', ')})`
  return `${when}${Type} ${Action} ${Actor.ID}${details}\n`
}
