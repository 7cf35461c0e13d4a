import { execFile } from 'node:child_process'
import { messageOf, systemCode } from '#base/errors.ts'

/** A program `docker-<name>` that is a command of ours too; its fields are those of docker's JSON, in its order. */
export interface Plugin {
  readonly SchemaVersion?: string
  readonly Vendor?: string
  readonly Version?: string
  readonly ShortDescription?: string
  readonly URL?: string
  readonly Name: string
  readonly Path: string
  /** Why it is none. */
  readonly Err?: string
  /** Others of that name, which this one hides. */
  readonly ShadowedPaths?: readonly string[]
}

const namePattern = '^[a-z][a-z0-9]*$'
const schema = '0.1.0'
const maxAnswer = 1 << 20

export function canNamePlugin(name: string): boolean {
  return new RegExp(namePattern).test(name)
}

/** Asks the program what it is. A program that is no plugin comes with `Err`. */
export async function readPlugin(name: string, path: string, isBuiltin: (name: string) => boolean): Promise<Plugin> {
  const wrong = (Err: string): Plugin => ({ Name: name, Path: path, Err })
  if (!canNamePlugin(name)) return wrong(`plugin candidate ${JSON.stringify(name)} did not match "${namePattern}"`)
  if (isBuiltin(name)) return wrong(`plugin ${JSON.stringify(name)} duplicates builtin command`)
  let answer: string
  try {
    answer = await askMetadata(path)
  } catch (error) {
    return wrong(`failed to fetch metadata: ${messageOf(error)}`)
  }
  const metadata = parseMetadata(answer)
  if (!metadata) return wrong('invalid metadata: it is not a JSON object')
  const plugin = { ...metadata, Name: name, Path: path }
  const { SchemaVersion = '', Vendor = '' } = metadata
  if (SchemaVersion !== schema) {
    return { ...plugin, Err: `plugin SchemaVersion ${JSON.stringify(SchemaVersion)} is not valid, must be ${schema}` }
  }
  return Vendor === '' ? { ...plugin, Err: 'plugin metadata does not define a vendor' } : plugin
}

/** What it prints, or an error in Go's words. */
async function askMetadata(path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  execFile(path, ['docker-cli-plugin-metadata'], { maxBuffer: maxAnswer, encoding: 'utf8' }, (error, stdout) => {
    if (error) reject(new Error(failureOf(path, error)))
    else resolve(stdout)
  })
  return await promise
}

function failureOf(path: string, error: Error & { code?: unknown; signal?: unknown }): string {
  const starts: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    ENOEXEC: 'exec format error',
  }
  const reason = starts[systemCode(error) ?? '']
  if (reason !== undefined) return `fork/exec ${path}: ${reason}`
  if (typeof error.code === 'number') return `exit status ${error.code}`
  return typeof error.signal === 'string' ? `signal: ${error.signal}` : messageOf(error)
}

const fields = ['SchemaVersion', 'Vendor', 'Version', 'ShortDescription', 'URL'] as const

function parseMetadata(answer: string): Partial<Record<(typeof fields)[number], string>> | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(answer)
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined
  const entries = fields.map((field) => [field, (parsed as Record<string, unknown>)[field]] as const)
  return Object.fromEntries(entries.filter(([, value]) => typeof value === 'string' && value !== ''))
}
