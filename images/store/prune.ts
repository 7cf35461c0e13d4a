import { isKind } from '#base/errors.ts'
import type { Filters } from '#base/filters.ts'
import type { Image } from './image.ts'
import { createdAt } from './list.ts'
import { type Removal, type RemovePorts, removeImage } from './remove.ts'

export interface ImagePrune {
  readonly records: readonly Removal[]
  /** Of the layers that went, unpacked. */
  readonly reclaimedBytes: number
}

/** Removes images without a tag, and with `dangling=false` every image that no container uses. By Docker's rules: names go one by one,
 *  so that an image in use keeps its last one. What pulls were cut off from goes as well.   @throws `invalid` for a bad filter */
export async function pruneImages(
  ports: RemovePorts,
  images: readonly Image[],
  { filters, signal }: { filters: Filters; signal: AbortSignal },
): Promise<ImagePrune> {
  filters.allowOnly(['dangling', 'label', 'label!', 'until'])
  const isDanglingOnly = filters.boolean('dangling') ?? true
  const until = filters.until(Date.now()) ?? Number.POSITIVE_INFINITY
  const sizes = new Map(ports.snapshots.list().map(({ key, usage }) => [key, usage?.bytes ?? 0]))
  const records: Removal[] = []
  for (const image of images) {
    if (signal.aborted) break
    const labels = image.config.config.Labels ?? {}
    if (createdAt(image) > until || !filters.matchesLabels(labels) || !filters.lacksLabels(labels)) continue
    if (isDanglingOnly && image.tags.length > 0) continue
    const names = [...image.tags, ...image.digests]
    for (const name of names.length > 0 ? names : [image.id]) records.push(...(await removeIfUnused(ports, name)))
  }
  const reclaimedBytes = records.reduce((sum, { deleted = '' }) => sum + (sizes.get(deleted) ?? 0), 0)
  await ports.content.removePartials()
  const attributes = { reclaimed: `${reclaimedBytes}` }
  ports.events.publish({ type: 'image', action: 'prune', actor: { id: '', attributes } })
  return { records, reclaimedBytes }
}

/** What is in use stays; what went meanwhile (a digest goes with its last tag) is as it should be. */
async function removeIfUnused(ports: RemovePorts, name: string): Promise<Removal[]> {
  try {
    return await removeImage(ports, name, { force: false, noPrune: false })
  } catch (error) {
    if (isKind(error, 'conflict') || isKind(error, 'not-found')) return []
    throw error
  }
}
