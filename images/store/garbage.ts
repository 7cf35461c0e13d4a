import { isDigest } from '#base/digest.ts'
import { isKind } from '#base/errors.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { Leases } from '../content/leases.ts'
import type { Snapshotter } from '../snapshots/snapshotter.ts'
import type { ImageStore } from './image-store.ts'

export interface GarbagePorts {
  readonly store: ImageStore
  readonly content: ContentStore
  readonly snapshots: Snapshotter
  readonly leases: Leases
}

/**
 * Removes those of the given blobs and snapshots that no image needs and nobody holds. Snapshots are tried from the last to the
 * first: list parents before children. One that a container stands on stays.   @returns the names of removed snapshots, in that order
 */
export async function collect(ports: GarbagePorts, keys: readonly string[]): Promise<readonly string[]> {
  const { store, content, snapshots, leases } = ports
  const isFree = (key: string) => !leases.has(key) && !store.uses(key)
  const blobs = content.remove(keys.filter(isDigest).filter(isFree))
  const removed: string[] = []
  for (const key of keys.toReversed()) {
    if (!isFree(key) || snapshots.find(key)?.kind !== 'committed') continue
    if (await removeUnlessUsed(snapshots, key)) removed.push(key)
  }
  await blobs
  return removed
}

/** Collects everything that no image needs and nobody holds. */
export async function sweep(ports: GarbagePorts): Promise<void> {
  const committed = ports.snapshots.list().filter(({ kind }) => kind === 'committed')
  await collect(ports, [...new Set([...committed.map(({ key }) => key), ...(await ports.content.list())])])
}

async function removeUnlessUsed(snapshots: Snapshotter, name: string): Promise<boolean> {
  try {
    await snapshots.remove(name)
    return true
  } catch (error) {
    if (isKind(error, 'conflict')) return false
    throw error
  }
}
