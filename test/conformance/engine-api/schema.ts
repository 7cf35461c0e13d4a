import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema
}

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Record<
        string,
        { responses: Readonly<Record<string, { content?: Readonly<Record<string, { schema: Schema }>> }>> }
      >
    >
  >
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

const document = parse(readFileSync(join(import.meta.dirname, '../../../src/contract/openapi.yaml'), 'utf8'), {
  merge: true,
}) as Document

/** What an answer has that openapi.yaml does not say, and the other way round. Empty: it conforms. */
export function problemsOf(operation: string, status: number, body: unknown): string[] {
  const [method = '', template = ''] = operation.split(' ')
  const response = document.paths[template]?.[method.toLowerCase()]?.responses[String(status)]
  if (!response) return [`openapi.yaml: ${operation} never answers ${status}`]
  const schema = response.content?.['application/json']?.schema
  return schema ? check(schema, body, '$') : []
}

function check(schema: Schema, value: unknown, path: string): string[] {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
    const target = document.components.schemas[name]
    return target ? check(target, value, path) : [`openapi.yaml: no schema ${name}`]
  }
  const types = schema.type === undefined ? [] : [schema.type].flat()
  if (types.length > 0 && !types.some((type) => fits(type, value))) {
    return [`${path}: ${JSON.stringify(value)?.slice(0, 80)} is not of type ${types.join(' or ')}`]
  }
  if (schema.enum && !schema.enum.includes(value))
    return [`${path}: ${String(value)} is not one of ${schema.enum.join()}`]
  if (Array.isArray(value)) {
    const { items } = schema
    return items ? value.flatMap((one: unknown, index) => check(items, one, `${path}[${index}]`)) : []
  }
  return isObject(value) ? checkObject(schema, value, path) : []
}

function checkObject(schema: Schema, value: Record<string, unknown>, path: string): string[] {
  const { properties = {}, required = [], additionalProperties } = schema
  const absent = required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${path}.${name} is missing`)
  const open = !schema.properties
  const wrong = Object.entries(value).flatMap(([name, one]) => {
    const known = properties[name] ?? additionalProperties
    if (known) return check(known, one, `${path}.${name}`)
    return open ? [] : [`${path}.${name} is not described`]
  })
  return [...absent, ...wrong]
}

function fits(type: string, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value)
    default:
      return typeof value === type
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
