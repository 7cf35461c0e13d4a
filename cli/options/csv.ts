import { invalid } from '#base/errors.ts'

/** One record of comma-separated fields; a field in double quotes may hold commas and doubled quotes.   @throws `invalid` */
export function parseCsv(text: string): string[] {
  const fields: string[] = []
  let at = 0
  for (;;) {
    if (text[at] === '"') {
      const match = /"((?:[^"]|"")*)"(?=,|$)/y
      match.lastIndex = at
      const quoted = match.exec(text)
      if (!quoted) throw invalid(`parse error on line 1, column ${at + 1}: extraneous or missing " in quoted-field`)
      fields.push((quoted[1] ?? '').replaceAll('""', '"'))
      at = match.lastIndex
    } else {
      const comma = text.indexOf(',', at)
      const field = text.slice(at, comma < 0 ? undefined : comma)
      if (field.includes('"')) throw invalid(`parse error on line 1, column ${at + 1}: bare " in non-quoted-field`)
      fields.push(field)
      at += field.length
    }
    if (text[at] !== ',') return fields
    at += 1
  }
}

/** `true`, `1`, `t` … as Go reads them; `what` is put into the error.   @throws `invalid` */
export function parseTruth(value: string, wrong: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(value)) return true
  if (/^(0|f|F|FALSE|false|False)$/.test(value)) return false
  throw invalid(wrong)
}
