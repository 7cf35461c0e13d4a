import type { FileHandle } from 'node:fs/promises'
import type { Digest } from '#base/digest.ts'
import { isKind, notFound } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { parseImageConfig } from '#oci/image-config.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { ImageStore, StoredImage } from '../store/image-store.ts'

export interface LayerBlobPorts {
  readonly store: Pick<ImageStore, 'list'>
  readonly content: ContentStore
}

export interface LayerBlob {
  /** The image's own, or that of another compression of the same layer. */
  readonly descriptor: Descriptor
  readonly diffId: Digest
  /** From its beginning; the caller closes it. What is open outlives a removal of the blob. */
  readonly file: FileHandle
}

/**
 * The whole blob of an image's layer (0 is the lowest). An image may lack a blob: a layer that was unpacked already is not downloaded.
 * The same layer of another image serves then.   @throws `not-found` when no blob of the layer is here
 */
export async function openLayerBlob(
  { store, content }: LayerBlobPorts,
  image: StoredImage,
  index: number,
  signal: AbortSignal,
): Promise<LayerBlob> {
  const own = layersOf(image)[index]
  if (!own) throw notFound(`image ${image.id} has no layer ${index}`)
  for (const descriptor of [own.descriptor, ...othersOf(store, own)]) {
    signal.throwIfAborted()
    const file = await openIfThere(content, descriptor)
    if (file) return { descriptor, diffId: own.diffId, file }
  }
  throw notFound(`layer ${own.diffId} of image ${image.id} is only here unpacked; pull the image again`, {
    code: 'no-layer-blob',
  })
}

interface Layer {
  readonly descriptor: Descriptor
  readonly standIn: Descriptor | undefined
  readonly diffId: Digest
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
  return layers.flatMap(({ descriptor, standIn }, index) => {
    const diffId = diffIds[index]
    return diffId === undefined ? [] : [{ descriptor, diffId, standIn }]
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
