import { invalid } from '#base/errors.ts'
import { Filters } from '#base/filters.ts'

/**
 * The `filters` parameter: `{"label":{"a":true}}` as Go clients send it, or `{"label":["a"]}`.
 * @param older filters that older clients send as parameters of their own   @throws `invalid` with Docker's text
 */
export function parseFilters(
  text: string | undefined,
  older: Readonly<Record<string, string | undefined>> = {},
): Filters {
  const value = text === undefined ? {} : readJson(text)
  if (!isObject(value)) throw invalid('invalid filter')
  const filters = new Map(Object.entries(value).map(([key, one]) => [key, readValues(one)]))
  for (const [key, one] of Object.entries(older)) {
    if (one !== undefined) filters.set(key, [...(filters.get(key) ?? []), one])
  }
  return new Filters(filters)
}

function readValues(value: unknown): string[] {
  if (value === null) return []
  const list = Array.isArray(value) ? value : isObject(value) ? Object.keys(value) : undefined
  if (!list?.every((one): one is string => typeof one === 'string')) throw invalid('invalid filter')
  return list
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalid('invalid filter', { cause: error })
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
