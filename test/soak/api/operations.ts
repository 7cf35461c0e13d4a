import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly string[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema
  readonly oneOf?: readonly Schema[]
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly schema: Schema
}

/** One operation of openapi.yaml. */
export interface Operation {
  /** `POST /containers/{id}/start` */
  readonly key: string
  readonly method: string
  readonly template: string
  readonly parameters: readonly Parameter[]
  /** Of the JSON body, if it has one. */
  readonly body: Schema | undefined
}

interface Described {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> }
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

const file = join(import.meta.dirname, '../../../src/contract/openapi.yaml')
const document = parse(readFileSync(file, 'utf8'), { merge: true }) as Document

export const operations: readonly Operation[] = Object.entries(document.paths).flatMap(([template, methods]) =>
  Object.entries(methods).map(([verb, { parameters = [], requestBody }]) => {
    const method = verb.toUpperCase()
    const body = requestBody?.content['application/json']?.schema
    return { key: `${method} ${template}`, method, template, parameters, body }
  }),
)

/** What a schema that only refers to another one stands for. */
export function resolve(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema
  const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
  const target = document.components.schemas[name]
  if (!target) throw new Error(`openapi.yaml: no schema ${name}`)
  return resolve(target)
}
