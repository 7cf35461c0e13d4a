import type { Descriptor } from '#oci/descriptor.ts'
import type { Platform } from '#oci/platform.ts'
import { familiarName, familiarReference, formatReference, type Reference } from '#oci/reference.ts'
import type { Database } from '#state/database.ts'
import type { Leases } from '../content/leases.ts'
import { collect, type GarbagePorts } from '../store/garbage.ts'
import type { StoredImage } from '../store/image-store.ts'
import type { EventSink } from '../store/ports.ts'
import { labelsOf } from '../store/read-image.ts'
import { dropUnnamedTwins } from '../store/references.ts'
import type { BlobSource } from './blob-source.ts'
import { type FetchPorts, fetchImage } from './fetch-image.ts'
import type { PullProgress } from './progress.ts'

export interface AddImagePorts extends FetchPorts, GarbagePorts {
  readonly database: Database
  readonly leases: Leases
  readonly events: EventSink
}

export interface ImageAddition {
  readonly source: BlobSource
  readonly root: Descriptor
  readonly platform: Platform
  /** Takes the tag (and the digest, when the image came from a repository). */
  readonly reference: Reference
  readonly isFromRepository: boolean
  readonly report: (progress: PullProgress) => void
  readonly signal: AbortSignal
}

export interface AddedImage {
  readonly image: StoredImage
  /** False when the reference led to this image before. */
  readonly isNew: boolean
}

/** Fetches an image and lists it under its references, on disk when this resolves. After a failure nothing of it is left. */
export async function addImage(ports: AddImagePorts, addition: ImageAddition): Promise<AddedImage> {
  const lease = ports.leases.open()
  let freed: readonly string[] = []
  try {
    const image = await fetchImage(ports, {
      ...addition,
      lease,
      isListed: (id) => ports.store.withId(id).length > 0,
    })
    const recorded = record(ports, image, addition)
    freed = recorded.freed
    await ports.database.sync()
    return { image, isNew: recorded.isNew }
  } finally {
    const held = lease.keys
    lease[Symbol.dispose]()
    await collect(ports, [...freed, ...held])
  }
}

/** One transaction: the image, its names, and the event that tells of it.
 *  @returns also the keys of what the image replaced under these names, as far as it may be free now */
function record(
  { store, database, events }: AddImagePorts,
  image: StoredImage,
  addition: ImageAddition,
): { isNew: boolean; freed: readonly string[] } {
  const { reference, isFromRepository } = addition
  const { domain, path, tag } = reference
  const key = { root: image.root.digest, id: image.id }
  const names: [kind: 'tag' | 'digest', name: string][] = []
  if (tag !== undefined && reference.digest === undefined) names.push(['tag', formatReference({ domain, path, tag })])
  if (isFromRepository) names.push(['digest', formatReference({ domain, path, digest: image.root.digest })])
  return database.transaction(() => {
    const before = names.map(([, name]) => store.findReference(name)?.key)
    store.add(image)
    for (const [kind, name] of names) store.setReference({ name, kind, key, setAt: Date.now() })
    const touched = new Set([image.id, ...before.flatMap((old) => (old ? [old.id] : []))])
    const freed = [...touched].flatMap((id) => dropUnnamedTwins(store, id))
    if (isFromRepository) {
      const attributes = { ...labelsOf(image), name: familiarName(reference) }
      events.publish({ type: 'image', action: 'pull', actor: { id: familiarReference(reference), attributes } })
    }
    return { isNew: before[0]?.id !== image.id, freed }
  })
}
