import { invalid, messageOf, systemCode } from '#base/errors.ts'

/** Reads a file whole; options get it so that grammars stay pure.   @throws the system's error */
export type ReadText = (path: string) => string

type Environment = Readonly<Record<string, string | undefined>>

/** `-e NAME` takes the value from our own environment; an unset one stays `NAME`, which asks the engine to remove it. */
export function resolveEnv(entries: readonly string[], environment: Environment): string[] {
  return entries.map((entry) => {
    if (entry.includes('=')) return entry
    const value = environment[entry]
    return value === undefined ? entry : `${entry}=${value}`
  })
}

/** @throws `invalid` */
export function checkEnv(entry: string): string {
  if (entry === '' || entry.startsWith('=')) throw invalid(`invalid environment variable: ${entry}`)
  return entry
}

/** One `NAME=value` or `NAME` a line; # begins a comment line. Names that are not set here are left out.   @throws `invalid` */
export function parseEnvFile(text: string, path: string, environment: Environment): string[] {
  const entries: string[] = []
  for (const raw of linesOf(text)) {
    const line = raw.replace(/^\s+/, '')
    if (line === '' || line.startsWith('#')) continue
    const equals = line.indexOf('=')
    const name = equals < 0 ? line.trimEnd() : line.slice(0, equals)
    if (/\s/.test(name)) throw invalid(`invalid env file (${path}): variable '${name}' contains whitespaces`)
    if (name === '') throw invalid(`invalid env file (${path}): no variable name on line '${line}'`)
    if (equals >= 0) entries.push(line)
    else if (environment[name] !== undefined) entries.push(`${name}=${environment[name]}`)
  }
  return entries
}

/** `--label key=value`, `--label key`.   @throws `invalid` */
export function checkLabel(entry: string): string {
  if (entry === '' || entry.startsWith('=')) throw invalid(`invalid label format: "${entry}"`)
  return entry
}

export function parseLabelFile(text: string, path: string): string[] {
  const entries: string[] = []
  for (const raw of linesOf(text)) {
    const line = raw.replace(/^\s+/, '')
    if (line === '' || line.startsWith('#')) continue
    const name = line.split('=', 1)[0] ?? ''
    if (/\s/.test(name)) throw invalid(`invalid label file (${path}): variable '${name}' contains whitespaces`)
    if (name === '') throw invalid(`invalid label file (${path}): no variable name on line '${line}'`)
    entries.push(line)
  }
  return entries
}

function linesOf(text: string): string[] {
  return text.replace(/^\uFEFF/, '').split(/\r?\n/)
}

/** `key=value` and `key` → an object; later ones win. */
export function toMap(entries: readonly string[]): Record<string, string> {
  const map: Record<string, string> = {}
  for (const entry of entries) {
    const equals = entry.indexOf('=')
    map[equals < 0 ? entry : entry.slice(0, equals)] = equals < 0 ? '' : entry.slice(equals + 1)
  }
  return map
}

/** Reads the files of `--env-file` and `--label-file`.   @throws `invalid` in Go's words for a file that cannot be read */
export function readOption(path: string, read: ReadText): string {
  try {
    return read(path)
  } catch (error) {
    const reason = systemCode(error) === 'ENOENT' ? 'no such file or directory' : messageOf(error)
    throw invalid(`open ${path}: ${reason}`, { cause: error })
  }
}
