import { invalid } from '#base/errors.ts'
import { escapeHtml } from './escape-html.ts'

/** Columns as docker aligns them: three spaces between, none narrower than `narrowest`, nothing behind the last cell. */
export function formatColumns(rows: readonly (readonly string[])[], narrowest = 10): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [at, cell] of row.slice(0, -1).entries()) {
      widths[at] = Math.max(widths[at] ?? narrowest, [...cell].length + 3)
    }
  }
  return rows
    .map((row) => `${row.map((cell, at) => pad(cell, at < row.length - 1 ? (widths[at] ?? 0) : 0)).join('')}\n`)
    .join('')
}

/** Images and registries say what they like: nothing of it moves the cursor. */
function pad(cell: string, width: number): string {
  const shown = cell.replaceAll(/[^\P{Cc}\n\t]/gu, '\ufffd')
  return shown + ' '.repeat(Math.max(width - [...shown].length, 0))
}

/** One field of a table: what the template calls it, its heading, its value. */
export interface Column<T> {
  readonly heading: string
  value(row: T): unknown
}

export type Columns<T> = Readonly<Record<string, Column<T>>>

/** How rows are shown: as a table, as JSON lines, or by a template. */
export type RowFormat =
  | { readonly kind: 'columns'; readonly names: readonly string[] }
  | { readonly kind: 'table'; readonly template: string }
  | { readonly kind: 'json' }
  | { readonly kind: 'lines'; readonly template: string }

/** `--format` → how rows are shown; empty and `table` mean the `standard` columns, which need no template. */
export function parseRowFormat(format: string, standard: readonly string[]): RowFormat {
  if (format === 'json') return { kind: 'json' }
  if (format === '' || format === 'table') return { kind: 'columns', names: standard }
  const template = format.replaceAll('\\t', '\t').replaceAll('\\n', '\n')
  if (!template.startsWith('table ')) return { kind: 'lines', template }
  const columns = template.slice('table '.length).trim()
  if (columns === '') throw invalid('template parsing error: the table has no columns')
  return { kind: 'table', template: columns }
}

/** Rows → text. Templates see `columns` by name; `.Label "x"` works when there is a column of labels as a function. */
export async function formatRows<T>(rows: readonly T[], columns: Columns<T>, format: RowFormat): Promise<string> {
  if (format.kind === 'json')
    return rows.map((row) => `${escapeHtml(JSON.stringify(toPlain(row, columns)))}\n`).join('')
  if (format.kind === 'columns') {
    const shown = format.names.flatMap((name) => columns[name] ?? [])
    const cells = rows.map((row) => shown.map((column) => String(column.value(row))))
    return formatColumns([shown.map(({ heading }) => heading), ...cells])
  }
  const { compileTemplate } = await import('./template/template.ts')
  const template = compileTemplate(format.template)
  const lines = rows.map((row) => template(toFields(row, columns)))
  if (format.kind === 'lines') return lines.map((line) => `${line}\n`).join('')
  const heading = template(headingsOf(columns))
  return formatColumns([heading, ...lines].map((line) => line.split('\t')))
}

/** Sorted by name, as Go's maps are shown. */
function toFields<T>(row: T, columns: Columns<T>): Record<string, unknown> {
  const entries = Object.entries(columns).map(([name, column]) => [name, column.value(row)] as const)
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Without what is a function: as docker's JSON. */
function toPlain<T>(row: T, columns: Columns<T>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(toFields(row, columns)).filter(([, value]) => typeof value !== 'function'))
}

function headingsOf<T>(columns: Columns<T>): Record<string, unknown> {
  const label = (name: string): string => name.replace(/^.*\./, '').replaceAll(/[-_]/g, ' ')
  return Object.fromEntries(
    Object.entries(columns).map(([name, { heading }]) => [name, name === 'Label' ? label : heading]),
  )
}
