import { type Document, generatedHeader, nameOfRef, type Operation, type Schema } from './document.ts'

/** types.gen.ts: an interface or alias for every schema, and `Operations`, keyed by method and path. */
export function emitTypes({ operations, schemas }: Document): string {
  const types = Object.entries(schemas).map(([name, schema]) => emitNamed(name, schema))
  const table = `/** Every operation with the names of its parameters and the type of its body. */\nexport interface Operations {\n${operations
    .map(emitOperation)
    .join('')}}\n`
  return [generatedHeader, ...types, table].join('\n')
}

function emitNamed(name: string, schema: Schema): string {
  const doc = schema.description === undefined ? '' : `/** ${schema.description} */\n`
  const text = typeOf(schema, '')
  return schema.properties ? `${doc}export interface ${name} ${text}\n` : `${doc}export type ${name} = ${text}\n`
}

function emitOperation({ key, summary, pathNames, queryNames, body }: Operation): string {
  const union = (names: readonly string[]) => names.map((name) => JSON.stringify(name)).join(' | ') || 'never'
  return `  /** ${summary}. */\n  ${JSON.stringify(key)}: { path: ${union(pathNames)}; query: ${union(queryNames)}; body: ${body ?? 'undefined'} }\n`
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return nameOfRef(schema.$ref)
  // Words are decoded to the list form, whichever came.
  if (schema.oneOf) return 'readonly string[]'
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ')
  if (Array.isArray(schema.type)) {
    return schema.type.map((one: string) => typeOf({ ...schema, type: one }, indent)).join(' | ')
  }
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type
    case 'integer':
    case 'number':
      return 'number'
    case 'array':
      return `readonly ${wrap(typeOf(schema.items ?? {}, indent))}[]`
    case 'object':
      return objectType(schema, indent)
    default:
      return 'unknown'
  }
}

function objectType(schema: Schema, indent: string): string {
  if (schema.additionalProperties) return `Readonly<Record<string, ${typeOf(schema.additionalProperties, indent)}>>`
  if (!schema.properties) return 'object'
  const inner = `${indent}  `
  const required = new Set(schema.required)
  const fields = Object.entries(schema.properties).map(([name, field]) => {
    const doc = field.description === undefined ? '' : `${inner}/** ${field.description}. */\n`
    return `${doc}${inner}readonly ${JSON.stringify(name)}${required.has(name) ? '' : '?'}: ${typeOf(field, inner)}\n`
  })
  return `{\n${fields.join('')}${indent}}`
}

function wrap(text: string): string {
  return /[| ]/.test(text) ? `(${text})` : text
}
