import { compileTemplate } from './template/template.ts'

/** The text of `--format` where rows are shown. */
export const formatHelp = `How to show it:
table            with headings (default)
table TEMPLATE   columns by a Go template
json             a JSON object a line
TEMPLATE         a line each by a Go template`

/** The text of `--format` where one object is shown. */
export const objectFormatHelp = `How to show it:
json             as JSON
TEMPLATE         by a Go template`

/** One object by `--format`: JSON in one line, or what the template makes of it. */
export function formatObject(value: unknown, format: string): string {
  if (format === 'json') return `${JSON.stringify(value)}\n`
  return `${compileTemplate(format.replaceAll('\\t', '\t').replaceAll('\\n', '\n'))(value)}\n`
}
