import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { invalid, notFound, systemCode } from '#base/errors.ts'
import { fileProblem } from '../config/read-named.ts'
import type { Context, TlsByEndpoint } from './context.ts'

/** Where a context is kept. */
export interface ContextPlace {
  readonly MetadataPath: string
  readonly TLSPath: string
}

/**
 * Reads the contexts of docker's client, in its own files: `contexts/meta/<sha256 of the name>/meta.json` and
 * `contexts/tls/<sha256>/<endpoint>/<file>`.
 * Synchronous: this stands before every command of a context's engine.
 */
export class ContextStore {
  readonly #root: string

  /** @param configDirectory that of config.json */
  constructor(configDirectory: string) {
    this.#root = join(configDirectory, 'contexts')
  }

  placeOf(name: string): ContextPlace {
    // Loaded when needed: most commands have no context, and node:crypto takes a tenth of the start.
    const { createHash } = process.getBuiltinModule('node:crypto')
    const id = createHash('sha256').update(name).digest('hex')
    return { MetadataPath: join(this.#root, 'meta', id), TLSPath: join(this.#root, 'tls', id) }
  }

  /** @throws `not-found`, and `invalid` for a file that is none of docker's */
  read(name: string): Context {
    const path = join(this.placeOf(name).MetadataPath, 'meta.json')
    try {
      return parseContext(readFileSync(path, 'utf8'), path)
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      const problem = `context ${JSON.stringify(name)}: context not found: ${fileProblem(path, error)}`
      throw notFound(problem, { cause: error })
    }
  }

  has(name: string): boolean {
    return this.#entries(this.placeOf(name).MetadataPath).length > 0
  }

  /** @throws `invalid` for a file that is none of docker's */
  list(): Context[] {
    const meta = join(this.#root, 'meta')
    return this.#entries(meta).flatMap((id) => {
      const path = join(meta, id, 'meta.json')
      try {
        return [parseContext(readFileSync(path, 'utf8'), path)]
      } catch (error) {
        if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return []
        throw error
      }
    })
  }

  /** Names only. */
  listTls(name: string): Record<string, string[]> {
    const { TLSPath } = this.placeOf(name)
    const endpoints = this.#entries(TLSPath)
    return Object.fromEntries(endpoints.map((endpoint) => [endpoint, this.#entries(join(TLSPath, endpoint))]))
  }

  readTls(name: string): TlsByEndpoint {
    const { TLSPath } = this.placeOf(name)
    const read = (endpoint: string) => (file: string) =>
      [file, readFileSync(join(TLSPath, endpoint, file))] as [string, Buffer]
    const endpoints = Object.entries(this.listTls(name))
    return Object.fromEntries(
      endpoints.map(([endpoint, files]) => [endpoint, Object.fromEntries(files.map(read(endpoint)))]),
    )
  }

  /** Without hidden ones, which programs leave that write beside. */
  #entries(directory: string): string[] {
    try {
      return readdirSync(directory)
        .filter((name) => !name.startsWith('.'))
        .toSorted()
    } catch (error) {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return []
      throw invalid(fileProblem(directory, error), { cause: error })
    }
  }
}

/** @param path in errors   @throws `invalid` */
export function parseContext(text: string, path: string): Context {
  const wrong = (cause?: unknown) => invalid(`${path} is not the description of a context`, { cause })
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw wrong(error)
  }
  if (!isObject(parsed)) throw wrong()
  const { Name = '', Metadata, Endpoints } = parsed
  if (typeof Name !== 'string' || !isObject(Metadata ?? {}) || !isObject(Endpoints ?? {})) throw wrong()
  const endpoints = Object.entries((Endpoints ?? {}) as object)
  if (!endpoints.every(([, endpoint]) => isObject(endpoint) && typeof (endpoint.Host ?? '') === 'string')) throw wrong()
  return {
    Name,
    Metadata: (Metadata ?? {}) as Context['Metadata'],
    Endpoints: Object.fromEntries(endpoints) as Context['Endpoints'],
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
