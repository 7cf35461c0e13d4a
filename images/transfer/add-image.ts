import type { Digest } from '#base/digest.ts'
import type { EngineEvent } from '#events/event.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import type { Platform } from '#oci/platform.ts'
import { familiarName, familiarReference, formatReference, type Reference } from '#oci/reference.ts'
import type { Leases } from '../content/leases.ts'
import { collectUnlisted, type GarbagePorts, letGo } from '../store/garbage.ts'
import type { ImageStore, StoredImage, StoredLayer } from '../store/image-store.ts'
import type { EventSink } from '../store/ports.ts'
import { labelsOf } from '../store/read-image.ts'
import { dropUnnamedTwins } from '../store/references.ts'
import type { BlobSource } from './blob-source.ts'
import { type FetchPorts, fetchImage } from './fetch-image.ts'
import type { PullProgress } from './progress.ts'

export interface AddImagePorts extends FetchPorts, GarbagePorts {
  readonly leases: Leases
  readonly events: EventSink
}

export interface ImageAddition {
  readonly source: BlobSource
  readonly root: Descriptor
  readonly platform: Platform
  /** Each takes its tag (and the digest, when the image came from a repository); none leaves the image dangling. */
  readonly references: readonly Reference[]
  /** The image that it was made of here. */
  readonly parent?: Digest
  readonly isFromRepository: boolean
  /** What is told, in the transaction that lists the image; a pull tells of itself. */
  readonly events?: (image: StoredImage) => readonly Omit<EngineEvent, 'time'>[]
  readonly report: (progress: PullProgress) => void
  readonly signal: AbortSignal
}

export interface AddedImage {
  readonly image: StoredImage
  /** False when the first reference led to this image before. */
  readonly isNew: boolean
  /** Names that led to another image before. */
  readonly taken: readonly TakenName[]
}

export interface TakenName {
  /** Normalised. */
  readonly name: string
  /** The image that it led to. */
  readonly from: Digest
}

/** Fetches an image and lists it under its references, on disk when this resolves. After a failure nothing of it is left. */
export async function addImage(ports: AddImagePorts, addition: ImageAddition): Promise<AddedImage> {
  const lease = ports.leases.open()
  try {
    const fetched = await fetchImage(ports, {
      ...addition,
      lease,
      othersOf: blobsByChain(ports.store),
      isListed: (id) => ports.store.withId(id).length > 0,
    })
    const { parent } = addition
    const image = { ...fetched, ...(parent !== undefined && { parent }) }
    const { freed, ...added } = record(ports, image, addition)
    await collectUnlisted(ports, freed)
    return added
  } finally {
    await letGo(ports, lease)
  }
}

/** One transaction: the image, its names, and the event that tells of it.
 *  @returns also the keys of what the image replaced under these names, as far as it may be free now */
function record(
  { store, database, events }: AddImagePorts,
  image: StoredImage,
  { references, isFromRepository, events: toEvents }: ImageAddition,
): AddedImage & { freed: readonly string[] } {
  const key = { root: image.root.digest, id: image.id }
  const names = references.flatMap((reference) => namesOf(reference, isFromRepository ? image.root.digest : undefined))
  return database.transaction(() => {
    const before = names.map(({ name }) => store.findReference(name)?.key.id)
    store.add(image)
    for (const { kind, name } of names) store.setReference({ name, kind, key, setAt: Date.now() })
    const freed = [...new Set([image.id, ...before])].flatMap((id) => (id ? dropUnnamedTwins(store, id) : []))
    const told = toEvents?.(image) ?? (isFromRepository ? pullEvents(image, references) : [])
    for (const event of told) events.publish(event)
    const taken = names.flatMap(({ name }, index) => {
      const from = before[index]
      return from !== undefined && from !== image.id ? [{ name, from }] : []
    })
    return { image, isNew: before[0] !== image.id, taken, freed }
  })
}

function namesOf(
  { domain, path, tag, digest }: Reference,
  root: Digest | undefined,
): { readonly kind: 'tag' | 'digest'; readonly name: string }[] {
  return [
    ...(tag !== undefined && digest === undefined
      ? [{ kind: 'tag', name: formatReference({ domain, path, tag }) } as const]
      : []),
    ...(root === undefined ? [] : [{ kind: 'digest', name: formatReference({ domain, path, digest: root }) } as const]),
  ]
}

function pullEvents(image: StoredImage, references: readonly Reference[]): readonly Omit<EngineEvent, 'time'>[] {
  return references.map((reference) => {
    const attributes = { ...labelsOf(image), name: familiarName(reference) }
    return { type: 'image', action: 'pull', actor: { id: familiarReference(reference), attributes } }
  })
}

/** Read when it is asked for: most pulls share no layer with another compression of it. */
function blobsByChain(store: ImageStore): (chainId: Digest) => readonly Descriptor[] {
  let byChain: Map<Digest, StoredLayer[]> | undefined
  return (chainId) => {
    byChain ??= Map.groupBy(
      store.list().flatMap(({ layers }) => layers),
      (layer) => layer.chainId,
    )
    return (byChain.get(chainId) ?? []).flatMap(({ descriptor, standIn }) => [
      descriptor,
      ...(standIn ? [standIn] : []),
    ])
  }
}
