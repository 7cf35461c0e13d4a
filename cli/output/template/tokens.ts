import { invalid } from '#base/errors.ts'

export interface Token {
  readonly kind: 'text' | 'open' | 'close' | 'word' | 'field' | 'dot' | 'variable' | 'value' | 'symbol'
  readonly text: string
  /** As written, with the space before it. */
  readonly source: string
  /** Of literals. */
  readonly value?: unknown
}

/** Cuts a template into text and the parts of its actions; `{{-` and `-}}` trim the text beside them.   @throws `invalid` */
export function tokenize(template: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  let trimNext = false
  for (;;) {
    const open = template.indexOf('{{', at)
    let text = template.slice(at, open < 0 ? undefined : open)
    if (trimNext) text = text.trimStart()
    const trims = open >= 0 && /^\{\{-\s/.test(template.slice(open, open + 4))
    if (trims) text = text.trimEnd()
    if (text !== '') tokens.push({ kind: 'text', text, source: text })
    if (open < 0) return tokens
    const start = open + (trims ? 3 : 2)
    const comment = /\s*\/\*[\s\S]*?\*\/\s*?(\s-)?\}\}/y
    comment.lastIndex = start
    const skipped = comment.exec(template)
    if (skipped) {
      trimNext = skipped[1] !== undefined
      at = comment.lastIndex
      continue
    }
    tokens.push({ kind: 'open', text: '{{', source: '' })
    const end = tokenizeAction(template, start, tokens)
    trimNext = end.trims
    at = end.at
  }
}

const space = '\\s*'
const shapes: readonly [Token['kind'] | 'end', RegExp][] = [
  ['end', new RegExp(`(?:\\s-)?${space}\\}\\}`, 'y')],
  ['value', new RegExp(`${space}("(?:[^"\\\\\\n]|\\\\.)*"|\`[^\`]*\`)`, 'y')],
  ['value', new RegExp(`${space}'(?:[^'\\\\]|\\\\.)'`, 'y')],
  ['value', new RegExp(`${space}[+-]?(?:0x[0-9a-fA-F]+|\\d+(?:\\.\\d*)?(?:e[+-]?\\d+)?)`, 'y')],
  ['variable', new RegExp(`${space}\\$\\w*`, 'y')],
  ['field', new RegExp(`${space}\\.[\\p{L}_][\\p{L}\\p{N}_]*`, 'uy')],
  ['dot', new RegExp(`${space}\\.`, 'y')],
  ['word', new RegExp(`${space}[\\p{L}_][\\p{L}\\p{N}_]*`, 'uy')],
  ['symbol', new RegExp(`${space}(:=|[=|(),])`, 'y')],
]

function tokenizeAction(template: string, start: number, tokens: Token[]): { at: number; trims: boolean } {
  let at = start
  for (;;) {
    const found = match(template, at)
    if (!found) {
      const rest = template.slice(at, at + 10)
      throw invalid(
        `template parsing error: template: :1: ${rest === '' ? 'unclosed action' : `unexpected ${JSON.stringify(rest)} in command`}`,
      )
    }
    const { kind, source } = found
    at += source.length
    if (kind === 'end') {
      tokens.push({ kind: 'close', text: '}}', source: '' })
      return { at, trims: /^\s-/.test(source) }
    }
    const text = source.trimStart()
    if (kind === 'value') tokens.push({ kind, text, source, value: literal(text) })
    else if (kind === 'word' && ['true', 'false', 'nil'].includes(text)) {
      tokens.push({ kind: 'value', text, source, value: text === 'nil' ? null : text === 'true' })
    } else tokens.push({ kind, text: kind === 'field' ? text.slice(1) : text, source })
  }
}

function match(template: string, at: number): { kind: Token['kind'] | 'end'; source: string } | undefined {
  for (const [kind, shape] of shapes) {
    shape.lastIndex = at
    const found = shape.exec(template)
    if (found) return { kind, source: found[0] }
  }
  return undefined
}

function literal(text: string): unknown {
  if (text.startsWith('`')) return text.slice(1, -1)
  if (text.startsWith('"')) return unquote(text.slice(1, -1))
  if (text.startsWith("'")) return unquote(text.slice(1, -1)).codePointAt(0)
  return Number(text)
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', '"': '"', "'": "'" }

function unquote(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)/g, (whole, code: string) => {
    if (code.length > 1) return String.fromCodePoint(Number.parseInt(code.slice(1), 16))
    const plain = escapes[code]
    if (plain === undefined) throw invalid(`template parsing error: template: :1: unknown escape ${whole}`)
    return plain
  })
}
