import { isDigest } from '#base/digest.ts'
import type { Database } from '#state/database.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { Lease, Leases } from '../content/leases.ts'
import type { Snapshotter } from '../snapshots/snapshotter.ts'
import type { ImageStore } from './image-store.ts'

export interface GarbagePorts {
  readonly database: Database
  readonly store: ImageStore
  readonly content: ContentStore
  readonly snapshots: Snapshotter
  readonly leases: Leases
  /** Told what kept garbage from being removed; it is swept later. */
  readonly onGarbage: (error: unknown) => void
}

/** So many are decided on between two looks of the event loop at something else. */
const batchSize = 500

/**
 * Removes those of the given blobs and snapshots that no image needs and nobody holds. Snapshots are tried from the last to the
 * first: list parents before children. One that a container stands on stays.   @returns the names of removed snapshots, in that order
 */
export async function collect(ports: GarbagePorts, keys: readonly string[]): Promise<readonly string[]> {
  const removed: string[] = []
  for (let end = keys.length; end > 0; end -= batchSize) {
    removed.push(...(await collectBatch(ports, keys.slice(Math.max(end - batchSize, 0), end))))
  }
  return removed
}

/**
 * Collects what rows that are just removed have named. Unlinking cannot be taken back: they are gone for good before the files are.
 * @throws when the rows may come back after a power cut; the files are swept when they cannot any more
 */
export async function collectUnlisted(ports: GarbagePorts, keys: readonly string[]): Promise<readonly string[]> {
  try {
    await ports.database.sync()
  } catch (error) {
    ports.onGarbage(error)
    throw error
  }
  return await collect(ports, keys).catch((error: unknown) => {
    ports.onGarbage(error)
    return []
  })
}

/** Ends a lease and collects what it held. Whatever came of the work, it came of it: a failure here is told in the background. */
export async function letGo(ports: GarbagePorts, lease: Lease): Promise<void> {
  const held = lease.keys
  lease[Symbol.dispose]()
  await collect(ports, held).catch(ports.onGarbage)
}

/** Layers and their blobs vanish in one go: a pull that came in between would list an image without the blob of a layer. */
async function collectBatch(
  { store, content, snapshots, leases }: GarbagePorts,
  keys: readonly string[],
): Promise<readonly string[]> {
  const free = keys.filter((key) => !leases.has(key) && !store.uses(key))
  const { removed, freed } = snapshots.removeUnused(free.toReversed())
  await Promise.all([content.remove(free.filter(isDigest)), freed])
  return removed
}

/** Collects everything that no image needs and nobody holds. */
export async function sweep(ports: GarbagePorts): Promise<void> {
  // As in `collectUnlisted`, for whoever was killed or failed before that.
  await ports.database.sync()
  const committed = ports.snapshots.list().filter(({ kind }) => kind === 'committed')
  await collect(ports, [...new Set([...committed.map(({ key }) => key), ...(await ports.content.list())])])
  // What could not be deleted before.
  await ports.content.remove([])
}
