import { compileTemplate } from './template/template.ts'

/** The text of `--format` where rows are shown. */
export const formatHelp = `Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template`

/** The text of `--format` where one object is shown. */
export const objectFormatHelp = `Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template`

/** One object by `--format`: JSON in one line, or what the template makes of it. */
export function formatObject(value: unknown, format: string): string {
  if (format === 'json') return `${JSON.stringify(value)}\n`
  return `${compileTemplate(format.replaceAll('\\t', '\t').replaceAll('\\n', '\n'))(value)}\n`
}
