import type { Shape } from '../decode.ts'
import { type Document, generatedHeader, nameOfRef, type Schema } from './document.ts'

/** Numbers above 2^53 lose digits in JavaScript; nobody asks for so many bytes. */
const rangeOf: Readonly<Record<string, readonly [number, number]>> = {
  int64: [Number.MIN_SAFE_INTEGER - 1, 2 ** 63],
  int: [Number.MIN_SAFE_INTEGER - 1, 2 ** 63],
  uint64: [0, 2 ** 64],
  uint: [0, 2 ** 64],
  uint32: [0, 2 ** 32 - 1],
  uint16: [0, 2 ** 16 - 1],
}

/** validate.gen.ts: the table of shapes that request bodies reach, and one decoder for each body. */
export function emitValidators({ operations, schemas }: Document): string {
  const bodies = [...new Set(operations.flatMap(({ body }) => (body === undefined ? [] : [body])))]
  const shapes = new ShapeTable(schemas)
  for (const body of bodies) shapes.named(body)

  const table = shapes.entries().map(([name, shape]) => `  ${name}: ${JSON.stringify(shape)},\n`)
  const decoders = bodies.map(
    (name) =>
      `/** @throws \`invalid\` */\nexport function decode${name}(value: unknown): types.${name} {\n  return (decode(shapes, '${name}', value) ?? {}) as types.${name}\n}\n`,
  )
  return [
    generatedHeader,
    `import { decode, type Shapes } from './decode.ts'\nimport type * as types from './types.gen.ts'\n`,
    `const shapes: Shapes = {\n${table.join('')}}\n`,
    ...decoders,
  ].join('\n')
}

class ShapeTable {
  readonly #schemas: Document['schemas']
  readonly #shapes = new Map<string, Shape>()

  constructor(schemas: Document['schemas']) {
    this.#schemas = schemas
  }

  entries(): [string, Shape][] {
    return [...this.#shapes]
  }

  /** The shape of a schema and of all that it refers to. */
  named(name: string): Shape {
    const known = this.#shapes.get(name)
    if (known) return known
    const schema = this.#schemas[name]
    if (!schema) throw new Error(`openapi.yaml: there is no schema ${name}`)
    const shape = this.#of(schema)
    this.#shapes.set(name, shape)
    return shape
  }

  #of(schema: Schema): Shape {
    if (schema.$ref !== undefined) {
      const to = nameOfRef(schema.$ref)
      this.named(to)
      return { kind: 'reference', to }
    }
    const named = schema['x-go-type']
    if (schema.oneOf) return { kind: 'words', go: named ?? '[]string' }
    switch (schema.type) {
      case 'string':
        return { kind: 'string', go: named ?? 'string' }
      case 'boolean':
        return { kind: 'boolean', go: named ?? 'bool' }
      case 'integer': {
        const format = schema.format ?? 'int'
        const [min, max] = rangeOf[format] ?? [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]
        return { kind: 'integer', go: named ?? format, min, max }
      }
      case 'array': {
        const of = this.#of(schema.items ?? {})
        return { kind: 'list', go: named ?? `[]${this.#goOf(of)}`, of }
      }
      case 'object':
        return this.#object(schema)
      default:
        throw new Error(`openapi.yaml: a request has a field of type ${String(schema.type)}`)
    }
  }

  #object(schema: Schema): Shape {
    if (schema.additionalProperties) {
      const of = this.#of(schema.additionalProperties)
      return { kind: 'map', go: schema['x-go-type'] ?? `map[string]${this.#goOf(of)}`, of }
    }
    if (!schema.properties) return { kind: 'empty', go: 'struct {}' }
    const fields = Object.entries(schema.properties).map(([name, field]) => [name, this.#of(field)] as const)
    return { kind: 'struct', go: schema['x-go'] ?? 'struct', fields: Object.fromEntries(fields) }
  }

  #goOf(shape: Shape): string {
    if (shape.kind !== 'reference') return shape.go
    const target = this.#shapes.get(shape.to)
    return target === undefined ? shape.to : this.#goOf(target)
  }
}
