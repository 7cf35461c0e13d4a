import { invalid } from '#base/errors.ts'
import { type Token, tokenize } from './tokens.ts'

export type Operand =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline }
  | { readonly kind: 'field'; readonly of: Operand; readonly name: string }

export type CommandNode = readonly Operand[]
export interface Pipeline {
  readonly commands: readonly CommandNode[]
  readonly source: string
}

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | { readonly kind: 'assign'; readonly name: string; readonly declares: boolean; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with'
      readonly pipeline: Pipeline
      readonly body: TemplateNode[]
      readonly otherwise: TemplateNode[]
    }
  | {
      readonly kind: 'range'
      readonly names: readonly string[]
      readonly pipeline: Pipeline
      readonly body: TemplateNode[]
      readonly otherwise: TemplateNode[]
    }

const unsupported = new Set(['template', 'define', 'block', 'break', 'continue'])

/** Go's text/template, without nested templates and without break and continue.   @throws `invalid` naming what is wrong */
export function parseTemplate(text: string): TemplateNode[] {
  const parser = new Parser(tokenize(text))
  const { nodes, end } = parser.list()
  if (end !== undefined) throw invalid(`template parsing error: template: :1: unexpected {{${end}}}`)
  return nodes
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  /** Nodes up to `end` or `else` (which is consumed up to its `}}` or its `if`). */
  list(): { nodes: TemplateNode[]; end: string | undefined } {
    const nodes: TemplateNode[] = []
    for (;;) {
      const token = this.#tokens[this.#at]
      if (!token) return { nodes, end: undefined }
      this.#at += 1
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text })
        continue
      }
      const word = this.#peekWord()
      if (word === 'end' || word === 'else') {
        this.#at += 1
        return { nodes, end: word }
      }
      nodes.push(this.#action(word))
    }
  }

  #action(word: string | undefined): TemplateNode {
    if (word !== undefined && unsupported.has(word)) {
      throw invalid(`template parsing error: template: :1: {{${word}}} is not supported here; use if, range and with`)
    }
    if (word === 'if' || word === 'with') {
      this.#at += 1
      const pipeline = this.#pipeline()
      this.#close()
      return { kind: word, pipeline, ...this.#branches() }
    }
    if (word === 'range') {
      this.#at += 1
      const names = this.#rangeNames()
      const pipeline = this.#pipeline()
      this.#close()
      return { kind: 'range', names, pipeline, ...this.#branches() }
    }
    const assigned = this.#assignment()
    const pipeline = this.#pipeline()
    this.#close()
    return assigned ? { kind: 'assign', ...assigned, pipeline } : { kind: 'print', pipeline }
  }

  #branches(): { body: TemplateNode[]; otherwise: TemplateNode[] } {
    const first = this.list()
    if (first.end === undefined)
      throw invalid('template parsing error: template: :1: unexpected EOF; {{end}} is missing')
    if (first.end === 'end') {
      this.#close()
      return { body: first.nodes, otherwise: [] }
    }
    const word = this.#peekWord()
    if (word === 'if' || word === 'with') return { body: first.nodes, otherwise: [this.#action(word)] }
    this.#close()
    const second = this.list()
    if (second.end !== 'end') throw invalid('template parsing error: template: :1: {{end}} is missing')
    this.#close()
    return { body: first.nodes, otherwise: second.nodes }
  }

  #rangeNames(): string[] {
    const tokens = this.#tokens.slice(this.#at, this.#at + 4)
    const shape = tokens.map((token) => (token.kind === 'variable' ? '$' : token.text)).join(' ')
    const name = (at: number): string => tokens[at]?.text ?? ''
    if (shape.startsWith('$ , $ :=')) {
      this.#at += 4
      return [name(0), name(2)]
    }
    if (!shape.startsWith('$ :=')) return []
    this.#at += 2
    return [name(0)]
  }

  #assignment(): { name: string; declares: boolean } | undefined {
    const [variable, operator] = this.#tokens.slice(this.#at, this.#at + 2)
    if (variable?.kind !== 'variable' || (operator?.text !== ':=' && operator?.text !== '=')) return undefined
    this.#at += 2
    return { name: variable.text, declares: operator.text === ':=' }
  }

  #pipeline(): Pipeline {
    const from = this.#at
    const commands = [this.#command()]
    while (this.#tokens[this.#at]?.text === '|') {
      this.#at += 1
      commands.push(this.#command())
    }
    const source = this.#tokens
      .slice(from, this.#at)
      .map((token) => token.source)
      .join('')
      .trim()
    return { commands, source }
  }

  #command(): Operand[] {
    const operands: Operand[] = []
    for (let operand = this.#operand(); operand; operand = this.#operand()) operands.push(operand)
    if (operands.length === 0) throw invalid('template parsing error: template: :1: missing value for command')
    return operands
  }

  #operand(): Operand | undefined {
    const token = this.#tokens[this.#at]
    let operand: Operand
    switch (token?.kind) {
      case 'value':
        operand = { kind: 'value', value: token.value }
        break
      case 'word':
        operand = { kind: 'function', name: token.text }
        break
      case 'variable':
        operand = { kind: 'variable', name: token.text }
        break
      case 'dot':
        operand = { kind: 'dot' }
        break
      case 'field':
        operand = { kind: 'field', of: { kind: 'dot' }, name: token.text }
        break
      case 'symbol':
        if (token.text !== '(') return undefined
        this.#at += 1
        operand = { kind: 'pipeline', pipeline: this.#pipeline() }
        if (this.#tokens[this.#at]?.text !== ')')
          throw invalid('template parsing error: template: :1: unclosed left paren')
        break
      default:
        return undefined
    }
    this.#at += 1
    // Fields that touch what is before them belong to it: `.A.B`, `$x.B`, `(f).B`.
    for (
      let next = this.#tokens[this.#at];
      next?.kind === 'field' && !next.source.startsWith(' ');
      next = this.#tokens[this.#at]
    ) {
      operand = { kind: 'field', of: operand, name: next.text }
      this.#at += 1
    }
    return operand
  }

  #peekWord(): string | undefined {
    const token = this.#tokens[this.#at]
    return token?.kind === 'word' ? token.text : undefined
  }

  #close(): void {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'close')
      throw invalid(
        `template parsing error: template: :1: unexpected ${JSON.stringify(token?.text ?? 'EOF')} in command`,
      )
    this.#at += 1
  }
}
