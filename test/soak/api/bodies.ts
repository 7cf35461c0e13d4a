import fc, { type Arbitrary } from 'fast-check'
import { harmless } from './harmless.ts'
import { resolve, type Schema } from './operations.ts'
import { anyJson, hostileNumber, hostileText, meaningfulFor } from './values.ts'

const mostFields = 5

/** JSON texts for a schema: mostly what could be meant, often with a field of a wrong type, sometimes no JSON. */
export function jsonBody(schema: Schema, place: string): Arbitrary<string> {
  const { properties = {} } = resolve(schema)
  // Without them most requests would end before anything else is looked at.
  const needed = ['Image', 'Cmd', 'Container'].filter((name) => Object.hasOwn(properties, name))
  const text = fieldOf(schema, { name: '', place, needed }).map((value) => JSON.stringify(harmless(value)) ?? '')
  return fc.oneof(
    { arbitrary: text, weight: 12 },
    { arbitrary: fc.tuple(text, fc.nat()).map(([whole, at]) => whole.slice(0, at % (whole.length + 1))), weight: 1 },
    { arbitrary: fc.tuple(text, fc.nat(), hostileText).map(inserted), weight: 1 },
    { arbitrary: text.map((whole) => whole.replace(/:(-?\d+)/, ':1e999')), weight: 1 },
    { arbitrary: text.map((whole) => `${whole}${whole}`), weight: 1 },
    { arbitrary: fc.constantFrom('[', '{"a":', '{"HostConfig":').chain(nested), weight: 1 },
    { arbitrary: anyJson.map((value) => JSON.stringify(value)), weight: 1 },
  )
}

function inserted([whole, at, text]: [string, number, string]): string {
  const place = at % (whole.length + 1)
  return `${whole.slice(0, place)}${text}${whole.slice(place)}`
}

/** Deep enough for any parser that recurses, with and without an end. */
function nested(open: string): Arbitrary<string> {
  const close = open.startsWith('[') ? ']' : '}'
  return fc
    .tuple(fc.constantFrom(100, 9_999, 10_001, 100_000), fc.boolean())
    .map(([depth, isClosed]) => `${open.repeat(depth)}${isClosed ? `null${close.repeat(depth)}` : ''}`)
}

interface Where {
  readonly name: string
  readonly place: string
  readonly needed?: readonly string[]
}

function fieldOf(schema: Schema, where: Where): Arbitrary<unknown> {
  const known = meaningfulFor(where.name, where.place)
  return fc.oneof(
    ...(known ? [{ arbitrary: fc.constantFrom(...known), weight: 16 }] : []),
    { arbitrary: typed(schema, where), weight: known ? 3 : 12 },
    { arbitrary: anyJson, weight: where.name === '' ? 0 : 1 },
  )
}

function typed(schema: Schema, { name, place, needed = [] }: Where): Arbitrary<unknown> {
  const { type, properties, items, additionalProperties, oneOf } = resolve(schema)
  if (oneOf) return fc.oneof(...oneOf.map((one) => typed(one, { name, place })))
  if (properties) return fieldsOf(properties, place, needed)
  switch ([type].flat()[0]) {
    case 'object':
      return fc.dictionary(
        hostileText,
        additionalProperties ? fieldOf(additionalProperties, { name, place }) : anyJson,
        {
          maxKeys: 3,
        },
      )
    case 'array':
      return fc.array(items ? fieldOf(items, { name, place }) : anyJson, { maxLength: 3 })
    case 'integer':
      return hostileNumber
    case 'boolean':
      return fc.boolean()
    default:
      return hostileText
  }
}

/** Some of the fields, a few with their names in another case. */
function fieldsOf(
  properties: Readonly<Record<string, Schema>>,
  place: string,
  needed: readonly string[],
): Arbitrary<Record<string, unknown>> {
  const chosen = fc.subarray(Object.keys(properties), {
    maxLength: Math.min(mostFields, Object.keys(properties).length),
  })
  return chosen.chain((names) => {
    const all = [...new Set([...needed, ...names])]
    const field = (name: string) => fieldOf(properties[name] ?? {}, { name, place })
    const record = fc.record(Object.fromEntries(all.map((name) => [name, field(name)])))
    const casing = fc.constantFrom('same', 'same', 'same', 'same', 'lower', 'upper')
    return fc.tuple(record, casing).map(([value, how]) => recased(value as Record<string, unknown>, how))
  })
}

function recased(value: Record<string, unknown>, how: string): Record<string, unknown> {
  if (how === 'same') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [how === 'lower' ? name.toLowerCase() : name.toUpperCase(), one]),
  )
}
