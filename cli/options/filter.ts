import { invalid } from '#base/errors.ts'
import { type Flag, list } from '../parsing/flag.ts'

/** `-f name=value`, as every list has it. */
export function filterFlag(): Flag<readonly string[]> {
  return list('filter', 'Show only what fits, as name=value', { short: 'f', word: 'filter', check: checkFilter })
}

/** `--filter name=value` of prune, where `-f` is `--force`. */
export function pruneFilterFlag(): Flag<readonly string[]> {
  return list('filter', 'Remove only what fits, as name=value', { word: 'filter', check: checkFilter })
}

function checkFilter(entry: string): string {
  if (entry !== '' && !entry.includes('=')) throw invalid('bad format of filter (expected name=value)')
  return entry
}

/** The query value of the API: `{"label":{"a=b":true}}`; undefined when there is nothing to filter. */
export function toFilterQuery(entries: readonly string[]): string | undefined {
  const filters: Record<string, Record<string, boolean>> = {}
  for (const entry of entries) {
    if (entry === '') continue
    const equals = entry.indexOf('=')
    const name = entry.slice(0, equals).trim().toLowerCase()
    filters[name] = { ...filters[name], [entry.slice(equals + 1).trim()]: true }
  }
  return Object.keys(filters).length === 0 ? undefined : JSON.stringify(filters)
}
