import { invalid } from '#base/errors.ts'
import type { Filters } from '#base/filters.ts'
import type { SearchResult } from '../registry/search.ts'

/** Which results fit: `stars` (at least), `is-official`, `is-automated`, which nothing is.   @throws `invalid` with Docker's texts */
export function searchFilter(filters: Filters): (result: SearchResult) => boolean {
  filters.allowOnly(['is-automated', 'is-official', 'stars'])
  const isOfficial = filters.boolean('is-official')
  const isAutomated = filters.boolean('is-automated')
  const stars = Math.max(0, ...filters.get('stars').map(parseStars))
  return (result) =>
    isAutomated !== true && (isOfficial === undefined || result.isOfficial === isOfficial) && result.stars >= stars
}

function parseStars(text: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text)
  throw invalid(`invalid filter 'stars=${text}': strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
}
