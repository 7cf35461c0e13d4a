export interface Import {
  readonly specifier: string
  /** `import type`, or a list in which every name is marked `type`. */
  readonly typeOnly: boolean
}

/** The imports and re-exports of a TypeScript source, static and dynamic. Comments and strings that only look like them do not count. */
export function importsOf(source: string): Import[] {
  const code = withoutComments(source)
  const found: Import[] = []
  const statement = /^\s*(import|export)\b([^'"`;]*?)\bfrom\s*['"]([^'"]+)['"]/gm
  for (const [, keyword, clause = '', specifier = ''] of code.matchAll(statement)) {
    if (keyword === 'export' && !/^\s*(type\s*)?[{*]/.test(clause)) continue
    found.push({ specifier, typeOnly: isTypeOnly(clause) })
  }
  for (const [, specifier = ''] of code.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm))
    found.push({ specifier, typeOnly: false })
  for (const [, specifier = ''] of code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g))
    found.push({ specifier, typeOnly: false })
  return found
}

function isTypeOnly(clause: string): boolean {
  if (/^\s*type\b/.test(clause)) return true
  const names = /^\s*\{([^}]*)\}\s*$/
    .exec(clause)?.[1]
    ?.split(',')
    .filter((name) => name.trim() !== '')
  return names !== undefined && names.length > 0 && names.every((name) => /^\s*type\s/.test(name))
}

/** Blanks comments, leaving strings, so that `// import x from '#api'` is not an import. */
function withoutComments(source: string): string {
  return source.replace(
    /\/\*[\s\S]*?\*\/|(^|[^:'"`\\])\/\/[^\n]*/g,
    (_match, before: string | undefined) => before ?? '',
  )
}
