import { invalid } from './errors.ts'

const words: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((word) => [word, false] as const),
])

/** As Go's strconv.ParseBool reads it.   @throws `invalid` in its words */
export function parseGoBoolean(text: string): boolean {
  const value = words.get(text)
  if (value === undefined) throw invalid(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
  return value
}
