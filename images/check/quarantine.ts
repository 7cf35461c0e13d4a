import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '#base/atomic-file.ts'
import { type Digest, encodedOf } from '#base/digest.ts'
import { unlistImage } from '../store/damage.ts'
import { contentOf, type StoredImage } from '../store/image-store.ts'
import type { CheckPorts } from './check-ports.ts'

/** Moves a damaged blob out of the store. */
export async function setBlobAside({ content, quarantine }: CheckPorts, digest: Digest): Promise<void> {
  await mkdir(quarantine, { recursive: true, mode: 0o700 })
  await content.moveOut(digest, join(quarantine, encodedOf(digest)))
}

/** Takes images off the list and moves those of their blobs aside that nothing else needs. Layers stay as long as a container stands on them.
 *  A file beside the blobs tells what happened and what to do. */
export async function unlistImages(ports: CheckPorts, rows: readonly StoredImage[], reason: string): Promise<void> {
  const { store, leases, database, content, quarantine } = ports
  await mkdir(quarantine, { recursive: true, mode: 0o700 })
  for (const row of rows) {
    const names = store.referencesOf(row.id).map(({ name }) => name)
    const advice = `pull ${names[0] ?? 'it'} again; the files here can be removed`
    await writeFileAtomic(
      join(quarantine, `${encodedOf(row.id)}.json`),
      `${JSON.stringify({ image: row.id, root: row.root, names, reason, at: new Date().toISOString(), advice }, null, 2)}\n`,
    )
    unlistImage(ports, row)
  }
  await database.sync()
  for (const key of new Set(rows.flatMap(contentOf))) {
    if (!store.uses(key) && !leases.has(key)) await content.moveOut(key, join(quarantine, encodedOf(key)))
  }
}
