/**
 * The house: which folder is which layer, and what it may import. A number may import only smaller numbers; siblings of one
 * number never import each other.
 */
export interface Layer {
  readonly alias: string
  readonly folder: string
  readonly number: number
  /** Layers of the same number or special cases that are allowed beyond the rule. */
  readonly also?: readonly string[]
  /** When present: nothing but these aliases (and files). */
  readonly only?: readonly string[]
  /** Layers below that are closed to this one. */
  readonly never?: readonly string[]
  /** Layers whose types may be named, but whose code may not be loaded. */
  readonly typesOnly?: readonly string[]
}

export const layers: readonly Layer[] = [
  { alias: '#base', folder: 'src/base', number: 0 },
  { alias: '#oci', folder: 'src/oci', number: 1 },
  { alias: '#contract', folder: 'src/contract', number: 1 },
  { alias: '#runtime', folder: 'runtime', number: 2, never: ['#contract'] },
  { alias: '#shim', folder: 'shim', number: 2, also: ['#runtime'], never: ['#contract'] },
  { alias: '#state', folder: 'src/state', number: 2, never: ['#contract'] },
  { alias: '#events', folder: 'src/events', number: 2, never: ['#contract'] },
  { alias: '#images', folder: 'images', number: 3, never: ['#contract'] },
  { alias: '#network', folder: 'src/network', number: 4, never: ['#contract', '#images'] },
  { alias: '#volumes', folder: 'src/volumes', number: 4, never: ['#contract', '#images'] },
  { alias: '#containers', folder: 'src/containers', number: 5, never: ['#contract'] },
  { alias: '#engine', folder: 'src/engine', number: 6, never: ['#contract'] },
  {
    alias: '#api',
    folder: 'src/api',
    number: 7,
    only: ['#base', '#oci', '#contract', '#engine'],
    typesOnly: ['#runtime', '#shim', '#state', '#events', '#images', '#network', '#volumes', '#containers'],
  },
  { alias: '#daemon', folder: 'src/daemon', number: 8, only: ['#base', '#engine', '#api'] },
  { alias: '#cli', folder: 'cli', number: 8, only: ['#base', '#oci/reference.ts', '#contract'] },
]

/** Why `from` (a file in `layer`) may not import `specifier`, or undefined when it may. */
export function importProblem(layer: Layer, specifier: string, typeOnly: boolean): string | undefined {
  if (!specifier.startsWith('#')) return undefined
  const alias = specifier.split('/')[0] ?? ''
  const target = layers.find((one) => one.alias === alias)
  if (!target) return `${specifier} is no layer`
  if (target === layer) return `${specifier} is this layer's own: import it relatively`
  if (layer.also?.includes(alias)) return undefined
  if (typeOnly && layer.typesOnly?.includes(alias)) return undefined
  if (layer.only)
    return layer.only.some((one) => one === alias || one === specifier)
      ? undefined
      : `${layer.alias} may not import ${specifier}`
  if (layer.never?.includes(alias)) return `${layer.alias} may never import ${specifier}`
  return target.number < layer.number
    ? undefined
    : `${layer.alias} (${layer.number}) may not import ${specifier} (${target.number})`
}
