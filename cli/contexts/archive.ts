import { invalid, tooLarge } from '#base/errors.ts'
import { readTar } from '../copy/tar-read.ts'
import { type TarEntry, tarEnd, tarHeader, tarPadding } from '../copy/tar-write.ts'
import type { Context, TlsByEndpoint } from './context.ts'
import { parseContext } from './context-store.ts'
import { formatContext } from './write-context.ts'

export interface ArchivedContext {
  readonly context: Context
  readonly tls: TlsByEndpoint
}

const metaFile = 'meta.json'
const maxArchiveBytes = 10 << 20

/** The tar that docker's `context export` makes: `meta.json`, and `tls/<endpoint>/<file>`. */
export function packContext({ context, tls }: ArchivedContext): Buffer {
  const parts: Buffer[] = []
  const add = (kind: TarEntry['kind'], name: string, mode: number, bytes: Buffer = Buffer.alloc(0)): void => {
    const entry = { kind, name, mode, uid: 0, gid: 0, size: bytes.length, mtime: 0, target: '' }
    parts.push(tarHeader(entry), bytes, tarPadding(bytes.length))
  }
  add('file', metaFile, 0o644, Buffer.from(formatContext(context)))
  add('directory', 'tls', 0o700)
  for (const [endpoint, files] of Object.entries(tls)) {
    add('directory', `tls/${endpoint}`, 0o700)
    for (const [file, bytes] of Object.entries(files)) add('file', `tls/${endpoint}/${file}`, 0o600, bytes)
  }
  return Buffer.concat([...parts, tarEnd])
}

/** @throws `invalid` for what is no such tar, `too-large` */
export async function unpackContext(source: AsyncIterable<Buffer>): Promise<ArchivedContext> {
  let context: Context | undefined
  const tls = new Map<string, Map<string, Buffer>>()
  for await (const { type, name, content } of readTar(limited(source))) {
    if (type !== '0') continue
    const file = checkPath(name)
    const bytes = Buffer.concat(await Array.fromAsync(content()))
    if (file === undefined) context = parseContext(bytes.toString(), metaFile)
    else tls.set(file.endpoint, (tls.get(file.endpoint) ?? new Map()).set(file.name, bytes))
  }
  if (!context) throw invalid('invalid context: no metadata found')
  const endpoints = [...tls].map(([endpoint, files]) => [endpoint, Object.fromEntries(files)] as const)
  return { context, tls: Object.fromEntries(endpoints) }
}

async function* limited(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let size = 0
  for await (const chunk of source) {
    if (size === 0 && chunk.subarray(0, 4).equals(Buffer.from('PK\x03\x04'))) {
      throw invalid('a zip file is not read yet: make a tar of what it holds')
    }
    size += chunk.length
    if (size > maxArchiveBytes) throw tooLarge('read exceeds the defined limit')
    yield chunk
  }
}

/** Undefined for the metadata. Two plain names otherwise: nothing leads out of the store.   @throws `invalid` in docker's words */
function checkPath(path: string): { readonly endpoint: string; readonly name: string } | undefined {
  const wrong = (why: string) => invalid(`${path}: ${why}`)
  if (path === metaFile) return undefined
  if (!path.startsWith('tls/')) throw wrong('unexpected context file')
  const parts = path.split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..')) throw wrong('unexpected path format')
  if (path.includes('\\')) throw wrong("unexpected '\\' in path")
  const [, endpoint = '', name = '', ...more] = parts
  if (name === '' || more.length > 0 || path.includes('\0')) throw invalid('archive format is invalid')
  return { endpoint, name }
}
