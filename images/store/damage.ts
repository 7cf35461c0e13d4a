import type { Logger } from '#base/log.ts'
import type { Database } from '#state/database.ts'
import type { Snapshotter } from '../snapshots/snapshotter.ts'
import type { ImageStore } from './image-store.ts'

/** Takes images off the list whose layers are not all there (a power cut; files removed by hand): they could not be run, and their names
 *  would keep a pull from bringing them back whole. */
export function dropDamaged(
  { store, database, snapshots }: { store: ImageStore; database: Database; snapshots: Snapshotter },
  log: Logger,
): void {
  for (const { root, id, layers } of store.list()) {
    const missing = layers.find(({ chainId }) => snapshots.find(chainId)?.kind !== 'committed')
    if (!missing) continue
    database.transaction(() => {
      for (const { name, key } of store.referencesOf(id)) if (key.root === root.digest) store.removeReference(name)
      store.remove({ root: root.digest, id })
    })
    log.warn({ image: id, layer: missing.chainId }, 'an image has lost a layer and is no longer listed; pull it again')
  }
}
