import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeFileAtomic } from '#base/atomic-file.ts'
import { escapeHtml } from '../output/escape-html.ts'
import type { Context, TlsByEndpoint } from './context.ts'
import type { ContextStore } from './context-store.ts'

/** Writes the context and, when given, all its TLS material anew. The metadata come last: until then there is no such context. */
export async function writeContext(store: ContextStore, context: Context, tls?: TlsByEndpoint): Promise<void> {
  const { MetadataPath, TLSPath } = store.placeOf(context.Name)
  await mkdir(dirname(MetadataPath), { recursive: true, mode: 0o755 })
  if (tls) await replaceTls(TLSPath, tls)
  await mkdir(MetadataPath, { recursive: true, mode: 0o755 })
  await writeFileAtomic(join(MetadataPath, 'meta.json'), formatContext(context), { mode: 0o644 })
}

async function replaceTls(path: string, tls: TlsByEndpoint): Promise<void> {
  await rm(path, { recursive: true, force: true })
  for (const [endpoint, files] of Object.entries(tls)) {
    const directory = join(path, endpoint)
    await mkdir(directory, { recursive: true, mode: 0o700 })
    for (const [file, bytes] of Object.entries(files)) await writeFileAtomic(join(directory, file), bytes)
  }
}

/** One that is not there is no error. */
export async function removeContext(store: ContextStore, name: string): Promise<void> {
  const { MetadataPath, TLSPath } = store.placeOf(name)
  await rm(MetadataPath, { recursive: true, force: true })
  await rm(TLSPath, { recursive: true, force: true })
}

/** As docker's encoder writes it. */
export function formatContext({ Name, Metadata, Endpoints }: Context): string {
  return escapeHtml(JSON.stringify({ Name, Metadata, Endpoints }))
}
