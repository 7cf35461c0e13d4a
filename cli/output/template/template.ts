import { BerthError, invalid } from '#base/errors.ts'
import { formatValue, functions, isTrue } from './functions.ts'
import { type CommandNode, type Operand, type Pipeline, parseTemplate, type TemplateNode } from './parse.ts'

export type Template = (data: unknown) => string

/**
 * A Go template as docker's `--format` has it. Fields of objects are looked up by their exact names; a function in a field
 * is called with the arguments behind it.   @throws `invalid`, now for bad syntax and later for fields that are not there
 */
export function compileTemplate(text: string): Template {
  const nodes = parseTemplate(text)
  return (data) => new Run(data).render(nodes, data, [new Map([['$', data]])])
}

type Scopes = readonly Map<string, unknown>[]

class Run {
  readonly #root: unknown

  constructor(root: unknown) {
    this.#root = root
  }

  render(nodes: readonly TemplateNode[], dot: unknown, scopes: Scopes): string {
    const inner: Scopes = [...scopes, new Map()]
    return nodes.map((node) => this.#node(node, dot, inner)).join('')
  }

  #node(node: TemplateNode, dot: unknown, scopes: Scopes): string {
    switch (node.kind) {
      case 'text':
        return node.text
      case 'print': {
        const value = this.#pipeline(node.pipeline, dot, scopes)
        if (value === undefined) {
          const key = node.pipeline.source.replace(/^.*\./s, '')
          throw invalid(
            `template parsing error: template: :1: executing "" at <${node.pipeline.source}>: map has no entry for key ${JSON.stringify(key)}`,
          )
        }
        return formatValue(value)
      }
      case 'assign':
        this.#assign(node, this.#pipeline(node.pipeline, dot, scopes), scopes)
        return ''
      case 'if':
        return isTrue(this.#pipeline(node.pipeline, dot, scopes))
          ? this.render(node.body, dot, scopes)
          : this.render(node.otherwise, dot, scopes)
      case 'with': {
        const value = this.#pipeline(node.pipeline, dot, scopes)
        return isTrue(value) ? this.render(node.body, value, scopes) : this.render(node.otherwise, dot, scopes)
      }
      case 'range':
        return this.#range(node, dot, scopes)
      default:
        return node satisfies never
    }
  }

  #range(node: Extract<TemplateNode, { kind: 'range' }>, dot: unknown, scopes: Scopes): string {
    const entries = entriesOf(this.#pipeline(node.pipeline, dot, scopes), node.pipeline.source)
    if (entries.length === 0) return this.render(node.otherwise, dot, scopes)
    return entries
      .map(([key, value]) => {
        const [first = '', second] = node.names
        const names =
          second === undefined ? [[first, value] as const] : [[first, key] as const, [second, value] as const]
        return this.render(node.body, value, [...scopes, new Map(names)])
      })
      .join('')
  }

  #assign(node: Extract<TemplateNode, { kind: 'assign' }>, value: unknown, scopes: Scopes): void {
    const scope = node.declares ? scopes.at(-1) : scopes.findLast((one) => one.has(node.name))
    if (!scope) throw invalid(`template parsing error: undefined variable ${JSON.stringify(node.name)}`)
    scope.set(node.name, value)
  }

  #pipeline({ commands, source }: Pipeline, dot: unknown, scopes: Scopes): unknown {
    try {
      let piped: readonly unknown[] = []
      for (const command of commands) piped = [this.#command(command, dot, scopes, piped)]
      return piped[0]
    } catch (error) {
      if (error instanceof BerthError || !(error instanceof Error)) throw error
      throw invalid(`template parsing error: template: :1: executing "" at <${source}>: ${error.message}`, {
        cause: error,
      })
    }
  }

  #command([head, ...rest]: CommandNode, dot: unknown, scopes: Scopes, piped: readonly unknown[]): unknown {
    if (!head) return undefined
    const values = (): unknown[] => [...rest.map((one) => this.#operand(one, dot, scopes)), ...piped]
    if (head.kind === 'function') {
      const call = Object.hasOwn(functions, head.name) ? functions[head.name] : undefined
      if (!call)
        throw invalid(`template parsing error: template: :1: function ${JSON.stringify(head.name)} not defined`)
      return call(...values())
    }
    const value = this.#operand(head, dot, scopes)
    const args = values()
    if (typeof value === 'function') return (value as (...args: readonly unknown[]) => unknown)(...args)
    if (args.length > 0) throw invalid("template parsing error: template: :1: can't give argument to non-function")
    return value
  }

  #operand(operand: Operand, dot: unknown, scopes: Scopes): unknown {
    switch (operand.kind) {
      case 'value':
        return operand.value
      case 'dot':
        return dot
      case 'variable': {
        if (operand.name === '$') return this.#root
        const scope = scopes.findLast((one) => one.has(operand.name))
        if (!scope)
          throw invalid(`template parsing error: template: :1: undefined variable ${JSON.stringify(operand.name)}`)
        return scope.get(operand.name)
      }
      case 'pipeline':
        return this.#pipeline(operand.pipeline, dot, scopes)
      case 'function':
        return this.#command([operand], dot, scopes, [])
      case 'field':
        return fieldOf(this.#operand(operand.of, dot, scopes), operand.name)
      default:
        return operand satisfies never
    }
  }
}

function fieldOf(value: unknown, name: string): unknown {
  if (value === undefined || value === null) {
    throw invalid(
      `template parsing error: template: :1: executing "" at <.${name}>: nil pointer evaluating interface {}.${name}`,
    )
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw invalid(
      `template parsing error: template: :1: executing "" at <.${name}>: can't evaluate field ${name} in type ${Array.isArray(value) ? '[]interface {}' : typeof value}`,
    )
  }
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}

function entriesOf(value: unknown, source: string): (readonly [unknown, unknown])[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value.map((one: unknown, at) => [at, one] as const)
  if (typeof value === 'object') return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  if (typeof value === 'number') return Array.from({ length: value }, (_, at) => [at, at] as const)
  throw invalid(
    `template parsing error: template: :1: executing "" at <${source}>: range can't iterate over ${String(value)}`,
  )
}
