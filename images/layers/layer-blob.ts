import type { FileHandle } from 'node:fs/promises'
import type { Digest } from '#base/digest.ts'
import { isKind, notFound } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { parseImageConfig } from '#oci/image-config.ts'
import { mediaTypes } from '#oci/media-types.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { Leases } from '../content/leases.ts'
import type { Snapshotter } from '../snapshots/snapshotter.ts'
import type { ImageStore, StoredImage } from '../store/image-store.ts'
import { packLayer } from './diff.ts'

export interface LayerBlobPorts {
  readonly store: Pick<ImageStore, 'list'>
  readonly content: ContentStore
  readonly leases: Leases
  /** Path of the berth-unpack executable. */
  readonly executable: string
  readonly snapshots: Snapshotter
}

export interface LayerBlob {
  /** The image's own, that of another compression of the same layer, or that of its plain bytes. */
  readonly descriptor: Descriptor
  readonly diffId: Digest
  /** From its beginning; the caller closes it. What is open outlives a removal of the blob. */
  readonly file: FileHandle
}

/**
 * The whole blob of an image's layer (0 is the lowest): its own; else another compression of it; else its files packed again, which gives the
 * bytes of the diffId for layers that were packed here. What is packed is in the store until the next sweep: hold it to keep it.
 * @throws `not-found` when the layer's bytes are here in no way
 */
export async function openLayerBlob(
  ports: LayerBlobPorts,
  image: StoredImage,
  index: number,
  signal: AbortSignal,
): Promise<LayerBlob> {
  const own = layersOf(image)[index]
  if (!own) throw notFound(`image ${image.id} has no layer ${index}`)
  for (const descriptor of [own.descriptor, ...othersOf(ports.store, own)]) {
    signal.throwIfAborted()
    const file = await openIfThere(ports.content, descriptor)
    if (file) return { descriptor, diffId: own.diffId, file }
  }
  const packed = await packAgain(ports, own, signal)
  if (packed) return packed
  throw notFound(`layer ${own.diffId} of image ${image.id} is only here unpacked; pull the image again`, {
    code: 'no-layer-blob',
  })
}

async function packAgain(
  ports: LayerBlobPorts,
  { chainId, diffId }: Layer,
  signal: AbortSignal,
): Promise<LayerBlob | undefined> {
  const { content, snapshots, leases } = ports
  if (snapshots.find(chainId)?.kind !== 'committed') return undefined
  using lease = leases.open()
  lease.hold(diffId)
  lease.hold(chainId)
  await using ingest = await content.openIngest()
  const { digest, size } = await ingest.fill(async (fd) => {
    const packed = await packLayer(ports, { snapshot: chainId, fd, withoutMountPoints: false }, signal)
    return { digest: packed.diffId, size: packed.size }
  })
  // Another program's archive of the same files has other bytes.
  if (digest !== diffId) return undefined
  await ingest.commit(digest, size)
  return { descriptor: { mediaType: mediaTypes.ociLayer, digest, size }, diffId, file: await content.open(digest) }
}

interface Layer {
  readonly descriptor: Descriptor
  readonly standIn: Descriptor | undefined
  readonly diffId: Digest
  readonly chainId: Digest
}

/** Blobs of the same layer that other images name. Read when it is asked for: mostly the first one serves. */
function* othersOf(store: LayerBlobPorts['store'], { descriptor, diffId, standIn }: Layer): Generator<Descriptor> {
  if (standIn) yield standIn
  const tried = new Set([descriptor.digest, standIn?.digest])
  for (const layer of store.list().flatMap(layersOf)) {
    if (layer.diffId !== diffId || tried.has(layer.descriptor.digest)) continue
    tried.add(layer.descriptor.digest)
    yield layer.descriptor
  }
}

function layersOf({ id, config, layers }: StoredImage): Layer[] {
  const { diffIds } = parseImageConfig(config, `image config ${id}`)
  return layers.flatMap(({ descriptor, standIn, chainId }, index) => {
    const diffId = diffIds[index]
    return diffId === undefined ? [] : [{ descriptor, diffId, standIn, chainId }]
  })
}

async function openIfThere(content: ContentStore, { digest }: Descriptor): Promise<FileHandle | undefined> {
  try {
    return await content.open(digest)
  } catch (error) {
    if (isKind(error, 'not-found')) return undefined
    throw error
  }
}
