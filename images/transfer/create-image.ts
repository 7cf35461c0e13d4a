import { type Digest, digestOf } from '#base/digest.ts'
import { notFound } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { formatImageConfig, type ImageConfigDocument } from '#oci/image-config.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { hostPlatform } from '#oci/platform.ts'
import type { Reference } from '#oci/reference.ts'
import type { Lease } from '../content/leases.ts'
import { letGo } from '../store/garbage.ts'
import { type AddedImage, type AddImagePorts, addImage, type ImageAddition } from './add-image.ts'
import type { BlobSource } from './blob-source.ts'
import { commitBytes } from './fetch-content.ts'

export interface ImageCreation {
  readonly config: ImageConfigDocument
  /** The lowest first. Each is in the content store, under a lease of the caller's, or is unpacked already. */
  readonly layers: readonly { readonly descriptor: Descriptor; readonly diffId: Digest }[]
  /** With its tag; undefined leaves the image without a name. */
  readonly reference?: Reference
  readonly parent?: Digest
  readonly events?: ImageAddition['events']
  readonly signal: AbortSignal
}

/** Lists an image that was made here: writes its config and manifest and unpacks the layers that are not yet, each verified against its
 *  diffId. On disk when this resolves; after a failure nothing of it is left but the caller's blobs. */
export async function createImage(ports: AddImagePorts, creation: ImageCreation): Promise<AddedImage> {
  const { config, layers, reference, parent, events, signal } = creation
  const lease = ports.leases.open()
  try {
    const diffIds = layers.map(({ diffId }) => diffId)
    const configDescriptor = await put(ports, lease, mediaTypes.ociConfig, formatImageConfig(config, diffIds))
    const manifest = formatManifest(
      configDescriptor,
      layers.map(({ descriptor }) => descriptor),
    )
    const root = await put(ports, lease, mediaTypes.ociManifest, manifest)
    return await addImage(ports, {
      source: ownContent,
      root,
      platform: hostPlatform,
      references: reference ? [reference] : [],
      isFromRepository: false,
      ...(parent !== undefined && { parent }),
      ...(events && { events }),
      report: () => undefined,
      signal,
    })
  } finally {
    await letGo(ports, lease)
  }
}

/** An OCI manifest of these parts.   @see image-spec v1.1 manifest.md */
export function formatManifest(config: Descriptor, layers: readonly Descriptor[]): string {
  const plain = ({ mediaType, digest, size }: Descriptor) => ({ mediaType, digest, size })
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: plain(config),
    layers: layers.map(plain),
  })
}

async function put({ content }: AddImagePorts, lease: Lease, mediaType: string, text: string): Promise<Descriptor> {
  const bytes = Buffer.from(text)
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
  lease.hold(descriptor.digest)
  if (!(await content.find(descriptor.digest))) await commitBytes(content, descriptor, bytes)
  return descriptor
}

/** Everything is in the content store already; what is not is lost. */
const ownContent: BlobSource = {
  readManifest: async ({ digest }) => missing(digest),
  fetchBlob: async ({ descriptor }) => missing(descriptor.digest),
}

function missing(digest: Digest): never {
  throw notFound(`content ${digest} is not in the store`)
}
