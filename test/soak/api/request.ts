import fc, { type Arbitrary } from 'fast-check'
import { jsonBody } from './bodies.ts'
import { type Operation, operations, type Parameter } from './operations.ts'
import { hostileText, meaningfulFor } from './values.ts'

/** What is written to a connection of its own (`wire.ts`). Words in `@` stand for ids of the world. */
export interface FuzzRequest {
  /** An operation of openapi.yaml, or what is wrong with the bytes. */
  readonly about: string
  /** The request line and headers, without those that tell the body's length. */
  readonly head: readonly string[]
  readonly body: string
  readonly framing: Framing
}

/**
 * How the end of the body is told: rightly in two ways; with a length that is too long (and the client's side ends), too short or not
 * there; with chunks that are none.
 */
export type Framing = 'length' | 'chunked' | 'long' | 'short' | 'none' | 'garbage'

/** A request for any operation, from right to nonsense. */
export const operationRequest: Arbitrary<FuzzRequest> = fc.constantFrom(...operations).chain(requestFor)

function requestFor(operation: Operation): Arbitrary<FuzzRequest> {
  const { body: schema, template, parameters } = operation
  const nothing = fc.oneof({ arbitrary: fc.constant(''), weight: 8 }, { arbitrary: hostileText, weight: 1 })
  return fc
    .record({
      method: mostly(operation.method, fc.constantFrom(...methods)),
      version: versionPrefix,
      path: pathOf(operation),
      query: queryOf(operation),
      type: mostly('application/json', contentType),
      headers: fc.tuple(...parameters.filter((one) => one.in === 'header').map(headerOf)),
      upgrade: /attach|start|session|grpc/.test(template) ? fc.boolean() : fc.constant(false),
      framing: mostly<Framing>('length', fc.constantFrom<Framing>('chunked', 'long', 'short', 'garbage', 'none')),
      body: schema ? jsonBody(schema, template) : nothing,
    })
    .map(({ method, version, path, query, type, headers, upgrade, framing, body }) => ({
      about: operation.key,
      head: [
        `${method} ${version}${path}${query} HTTP/1.1`,
        'Host: docker',
        ...headers.flat(),
        ...(body === '' || type === '' ? [] : [`Content-Type: ${type}`]),
        ...(upgrade ? ['Connection: Upgrade', 'Upgrade: tcp'] : ['Connection: close']),
      ],
      body,
      framing,
    }))
}

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE']

function mostly<T>(usual: T, other: Arbitrary<T>): Arbitrary<T> {
  return fc.oneof({ arbitrary: fc.constant(usual), weight: 15 }, { arbitrary: other, weight: 1 })
}

const strangeVersions = ['/v1.23', '/v1.52', '/v99.99', '/v1', '/v1.', '/v.1', '/v1.4.1', `/v1.${'9'.repeat(400)}`]
const versionPrefix = fc.oneof(
  { arbitrary: fc.constantFrom('', '/v1.51', '/v1.44', '/v1.41', '/v1.24'), weight: 15 },
  { arbitrary: fc.constantFrom(...strangeVersions), weight: 1 },
)

const contentType = fc.constantFrom(
  ...['', 'text/plain', 'application/x-tar', 'application/json; charset=utf-16', '/', 'a'.repeat(5000)],
)

function pathOf({ template, parameters }: Operation): Arbitrary<string> {
  const names = parameters.filter((one) => one.in === 'path').map((one) => one.name)
  const values = names.map((name) => textOf(name, template, 10))
  const put = (path: string, name: string, value: string) => path.replace(`{${name}}`, () => escaped(value))
  return fc
    .tuple(...values)
    .map((chosen) => names.reduce((path, name, at) => put(path, name, chosen[at] ?? ''), template))
}

function queryOf({ template, parameters }: Operation): Arbitrary<string> {
  const described = fc.subarray(parameters.filter((one) => one.in === 'query'))
  const known = described.chain((chosen) => fc.tuple(...chosen.map((one) => parameterOf(one, template))))
  const unknown = mostly<[string, string][]>([], fc.array(fc.tuple(hostileText, hostileText), { maxLength: 2 }))
  return fc.tuple(known, unknown).map(([pairs, others]) => {
    const words = [...pairs, ...others].map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    return words.length === 0 ? '' : `?${words.join('&')}`
  })
}

function parameterOf({ name, schema }: Parameter, place: string): Arbitrary<[string, string]> {
  return valueFor({ name, schema }, place).map((value) => [name, value])
}

function valueFor({ name, schema }: Pick<Parameter, 'name' | 'schema'>, place: string): Arbitrary<string> {
  if (schema.type === 'boolean') return mostly('1', fc.constantFrom('0', 'true', 'false', 'nosuch', ''))
  if (schema.enum) return mostly(schema.enum[0] ?? '', fc.oneof(fc.constantFrom(...schema.enum), hostileText))
  return textOf(name, place, 6)
}

function headerOf({ name }: Parameter): Arbitrary<readonly string[]> {
  const header = textOf(name, '', 6).map((text) => [`${name}: ${text.replaceAll(/[\r\n\0]/g, '')}`])
  return fc.oneof(fc.constant<string[]>([]), header)
}

/** @param weight of what means something, against one for what does not */
function textOf(name: string, place: string, weight: number): Arbitrary<string> {
  const known = meaningfulFor(name, place)
  if (!known) return hostileText
  return fc.oneof({ arbitrary: fc.constantFrom(...known.map(String)), weight }, { arbitrary: hostileText, weight: 1 })
}

/** For a request line, except for what stands for an id; half a surrogate pair has no escape. */
function escaped(text: string): string {
  const all = encodeURIComponent(text.toWellFormed())
  return all.replaceAll(
    /%40(\w+?)(%3A\d+)?%40/g,
    (_, name: string, digits = '') => `@${name}${digits.replace('%3A', ':')}@`,
  )
}
