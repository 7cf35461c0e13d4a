import { invalid } from '#base/errors.ts'

const exponentOf: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5 }

/** "512m", "1.5GiB", "64 kb" → bytes, binary units, errors in the words of Docker's own grammar.   @throws `invalid` */
export function parseSize(text: string): number {
  const match = /^(.*[0-9.])( ?)([^0-9. ]*)$/s.exec(text)
  if (!match) throw invalid(`invalid size: '${text}'`)
  const [, digits = '', , suffix = ''] = match
  if (digits.startsWith('-')) throw invalid(`invalid size: '${text}'`)
  if (!/^\+?(\d+\.?\d*|\.\d+)$/.test(digits)) {
    throw invalid(`strconv.ParseFloat: parsing ${JSON.stringify(digits)}: invalid syntax`)
  }
  return Math.trunc(Number(digits) * factorOf(suffix.toLowerCase()))
}

function factorOf(suffix: string): number {
  if (suffix === '' || suffix === 'b') return 1
  const exponent = exponentOf[suffix[0] ?? '']
  if (exponent === undefined || !['', 'b', 'ib'].includes(suffix.slice(1))) throw invalid(`invalid suffix: '${suffix}'`)
  return 1024 ** exponent
}

/** As `parseSize`, and -1 for "no limit". */
export function parseSwapSize(text: string): number {
  return text === '-1' ? -1 : parseSize(text)
}
