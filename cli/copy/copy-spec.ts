/** One side of a copy. */
export interface Place {
  /** Undefined: this machine. */
  readonly container: string | undefined
  readonly path: string
}

/** `container:path`, `path` or `-`. What begins like a path is one, whatever colons it has. */
export function parsePlace(text: string): Place {
  const colon = text.indexOf(':')
  if (text.startsWith('/') || text.startsWith('.') || colon < 0) return { container: undefined, path: text }
  return { container: text.slice(0, colon), path: text.slice(colon + 1) }
}

/** What lies at a path of a container. */
export interface PathStat {
  readonly name: string
  readonly mode: number
  readonly linkTarget: string
}

const directoryBit = 2 ** 31
const symlinkBit = 2 ** 27

export function isDirectory({ mode }: PathStat): boolean {
  return mode >= directoryBit
}

export function isSymlink({ mode }: PathStat): boolean {
  return mode % directoryBit >= symlinkBit
}

/** The last word; `.` for what ends in `/.`, `/` for the root. */
export function baseOf(path: string): string {
  const words = path.split('/').filter((word) => word !== '')
  return words.at(-1) ?? (path.startsWith('/') ? '/' : '.')
}

export function endsInSlash(path: string): boolean {
  return path.endsWith('/') || path === '.' || path.endsWith('/.')
}

/** Where the last word of a path of a container lies. */
export function parentOf(path: string): string {
  const clean = path.replace(/\/+\.?$/, '')
  const slash = clean.lastIndexOf('/')
  return slash <= 0 ? '/' : clean.slice(0, slash)
}
