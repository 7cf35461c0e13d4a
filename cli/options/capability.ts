export interface Capabilities {
  readonly add: readonly string[]
  readonly drop: readonly string[]
}

/** Spells capabilities as the kernel does; ALL swallows the others, and what is added is not dropped as well. */
export function toCapabilities(added: readonly string[], dropped: readonly string[]): Capabilities {
  const add = normalize(added)
  const drop = normalize(dropped).filter((name) => !add.includes(name))
  return { add, drop }
}

function normalize(names: readonly string[]): string[] {
  const spelled = new Set(names.map((name) => name.trim().toUpperCase()).map(withPrefix))
  return spelled.has('ALL') ? ['ALL'] : [...spelled].toSorted()
}

function withPrefix(name: string): string {
  return name === 'ALL' || name === 'RESET' || name.startsWith('CAP_') ? name : `CAP_${name}`
}
