import { invalid } from '#base/errors.ts'

/**
 * What a request body may hold, as Go's encoding/json sees it: missing and null fields are left alone, unknown ones ignored,
 * names compared without regard to case. validate.gen.ts holds one table of these.
 */
export type Shape =
  | { readonly kind: 'string' | 'boolean'; readonly go: string }
  | { readonly kind: 'integer'; readonly go: string; readonly min: number; readonly max: number }
  | { readonly kind: 'list' | 'map'; readonly go: string; readonly of: Shape }
  | { readonly kind: 'words'; readonly go: string }
  | { readonly kind: 'empty'; readonly go: string }
  | { readonly kind: 'struct'; readonly go: string; readonly fields: Readonly<Record<string, Shape>> }
  | { readonly kind: 'reference'; readonly to: string }

export type Shapes = Readonly<Record<string, Shape>>

/** Larger lists and maps than any real client sends are refused before they are copied. */
const entryLimit = 100_000

/**
 * Checks a parsed JSON value and copies what `name` describes, names in their proper case.
 * @throws `invalid` in the words of Go, as Docker hands them on: `json: cannot unmarshal string into Go struct field …`
 */
export function decode(shapes: Shapes, name: string, value: unknown): unknown {
  const shape = shapes[name]
  if (!shape) throw new TypeError(`no shape is named ${name}`)
  return new Decoder(shapes).read(shape, value, { struct: '', path: [] })
}

/** The innermost Go struct that a field is in, and the fields from the root to it. */
interface Place {
  readonly struct: string
  readonly path: readonly string[]
}

class Decoder {
  readonly #shapes: Shapes

  constructor(shapes: Shapes) {
    this.#shapes = shapes
  }

  read(shape: Shape, value: unknown, place: Place): unknown {
    if (value === null || value === undefined) return undefined
    switch (shape.kind) {
      case 'reference': {
        const target = this.#shapes[shape.to]
        if (!target) throw new TypeError(`no shape is named ${shape.to}`)
        return this.read(target, value, place)
      }
      case 'string':
        if (typeof value !== 'string') throw mismatch(value, shape.go, place)
        return value
      case 'boolean':
        if (typeof value !== 'boolean') throw mismatch(value, shape.go, place)
        return value
      case 'integer':
        return readInteger(shape, value, place)
      case 'words':
        // Go tries the list and then the one string; only the second failure is told, without a place.
        if (typeof value === 'string') return [value]
        if (!Array.isArray(value) || !value.every((one: unknown) => one === null || typeof one === 'string')) {
          throw mismatch(value, 'string', { struct: '', path: [] })
        }
        return value.map((one: string | null) => one ?? '')
      case 'list':
        return this.#list(shape.of, shape.go, value, place)
      case 'map':
        return this.#map(shape.of, shape.go, value, place)
      case 'empty':
        if (!isObject(value)) throw mismatch(value, shape.go, place)
        return {}
      case 'struct':
        return this.#struct(shape, value, place)
    }
  }

  #list(of: Shape, go: string, value: unknown, place: Place): unknown[] {
    if (!Array.isArray(value)) throw mismatch(value, go, place)
    if (value.length > entryLimit) throw invalid(`invalid JSON: a list has more than ${entryLimit} entries`)
    return value.map((one: unknown) => this.read(of, one, place) ?? zeroOf(of))
  }

  #map(of: Shape, go: string, value: unknown, place: Place): Record<string, unknown> {
    if (!isObject(value)) throw mismatch(value, go, place)
    const entries = Object.entries(value)
    if (entries.length > entryLimit) throw invalid(`invalid JSON: an object has more than ${entryLimit} entries`)
    // Without a prototype, a key such as __proto__ is a key like any other.
    const copy: Record<string, unknown> = Object.create(null)
    for (const [key, one] of entries) copy[key] = this.read(of, one, place) ?? zeroOf(of)
    return copy
  }

  #struct(shape: Shape & { kind: 'struct' }, value: unknown, place: Place): Record<string, unknown> {
    if (!isObject(value)) throw mismatch(value, shape.go, place)
    const names = new Map(Object.keys(shape.fields).map((field) => [field.toLowerCase(), field]))
    const copy: Record<string, unknown> = {}
    for (const [key, one] of Object.entries(value)) {
      const field = Object.hasOwn(shape.fields, key) ? key : names.get(key.toLowerCase())
      const inner = field === undefined ? undefined : shape.fields[field]
      if (field === undefined || inner === undefined) continue
      const found = this.read(inner, one, { struct: shape.go, path: [...place.path, field] })
      if (found !== undefined) copy[field] = found
    }
    return copy
  }
}

function readInteger(shape: Shape & { kind: 'integer' }, value: unknown, place: Place): number {
  if (typeof value !== 'number') throw mismatch(value, shape.go, place)
  const fits = Number.isInteger(value) && value >= shape.min && value <= shape.max
  if (!fits) throw mismatch(value, shape.go, place, `number ${value}`)
  return value
}

/** What Go leaves in a list or map where JSON has null. */
function zeroOf(shape: Shape): unknown {
  switch (shape.kind) {
    case 'string':
      return ''
    case 'boolean':
      return false
    case 'integer':
      return 0
    case 'list':
    case 'words':
      return []
    default:
      return {}
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function mismatch(value: unknown, go: string, { struct, path }: Place, what = nameOf(value)) {
  const target =
    struct === '' ? 'Go value' : `Go struct field ${struct.slice(struct.indexOf('.') + 1)}.${path.join('.')}`
  return invalid(`invalid JSON: json: cannot unmarshal ${what} into ${target} of type ${go}`)
}

function nameOf(value: unknown): string {
  if (typeof value === 'boolean') return 'bool'
  if (Array.isArray(value)) return 'array'
  return typeof value
}
