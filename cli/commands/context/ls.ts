import { messageOf } from '#base/errors.ts'
import type { Cli } from '../../cli.ts'
import { command } from '../../command.ts'
import { type Context, defaultDescription, defaultName, engineOf } from '../../contexts/context.ts'
import { type ContextRow, contextColumns, contextTable } from '../../output/context-columns.ts'
import { formatHelp } from '../../output/format-flag.ts'
import { formatRows, parseRowFormat, type RowFormat } from '../../output/table.ts'
import { text, toggle } from '../../parsing/flag.ts'

export const lsCommand = command({
  usage: '[OPTIONS]',
  summary: 'List contexts',
  flags: {
    format: text('format', formatHelp),
    quiet: toggle('quiet', 'Only names', { short: 'q' }),
  },
  least: 0,
  most: 0,
  withoutEngine: true,
  async run({ contexts, stdout, stderr }, { flags }) {
    await stdout.write(await formatRows(listRows(contexts), contextColumns, formatOf(flags)))
    const variable = contexts.hostVariable
    if (variable) {
      await stderr.write(
        `Warning: ${variable} environment variable overrides the active context. To use a context, either set the global --context flag, or unset ${variable} environment variable.\n`,
      )
    }
    return 0
  },
})

function formatOf({ format, quiet }: { readonly format: string; readonly quiet: boolean }): RowFormat {
  if (quiet) return { kind: 'lines', template: '{{.Name}}' }
  return format === '' || format === 'table' ? { kind: 'table', template: contextTable } : parseRowFormat(format, [])
}

function listRows(contexts: Cli['contexts']): ContextRow[] {
  const { current } = contexts
  const all = [...contexts.store.list(), contexts.read(defaultName)]
  const rows = all.map((context) => toRow(context, current))
  if (!rows.some((row) => row.current)) rows.push(missing(contexts, current))
  return rows.toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
}

function toRow(context: Context, current: string): ContextRow {
  const name = context.Name
  const description = name === defaultName ? defaultDescription : (context.Metadata.Description ?? '')
  const row = { name, current: name === current, description, host: '', error: '' }
  try {
    return { ...row, host: engineOf(context).Host ?? '' }
  } catch (error) {
    return { ...row, error: messageOf(error) }
  }
}

function missing(contexts: Cli['contexts'], name: string): ContextRow {
  const row = { name, current: true, description: '', host: '' }
  try {
    contexts.read(name)
    return { ...row, error: '' }
  } catch (error) {
    return { ...row, error: messageOf(error) }
  }
}
