/** The part of JSON Schema that openapi.yaml uses. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly enum?: readonly string[]
  readonly description?: string
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema
  readonly oneOf?: readonly Schema[]
  readonly 'x-go'?: string
  readonly 'x-go-type'?: string
}

export interface Operation {
  /** `POST /containers/{id}/stop` */
  readonly key: string
  readonly summary: string
  readonly pathNames: readonly string[]
  readonly queryNames: readonly string[]
  /** Name of the schema of the request body. */
  readonly body: string | undefined
}

export interface Document {
  readonly operations: readonly Operation[]
  readonly schemas: Readonly<Record<string, Schema>>
}

interface RawOperation {
  readonly summary?: string
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}

interface RawDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** @throws when a path and its parameters do not agree */
export function readDocument(raw: unknown): Document {
  const { paths, components } = raw as RawDocument
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => readOperation(path, method, operation)),
  )
  return { operations, schemas: components.schemas }
}

function readOperation(path: string, method: string, operation: RawOperation): Operation {
  const key = `${method.toUpperCase()} ${path}`
  const names = (place: string) => (operation.parameters ?? []).filter((one) => one.in === place).map((one) => one.name)
  const pathNames = names('path')
  const inTemplate = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
  if (inTemplate.join() !== pathNames.join())
    throw new Error(`openapi.yaml: ${key}: path parameters do not fit the path`)
  const body = operation.requestBody?.content['application/json']?.schema.$ref
  return {
    key,
    summary: operation.summary ?? '',
    pathNames,
    queryNames: names('query'),
    body: body === undefined ? undefined : nameOfRef(body),
  }
}

export function nameOfRef(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1)
}

export const generatedHeader = '// Generated from openapi.yaml by generate.ts. Do not edit.\n'
