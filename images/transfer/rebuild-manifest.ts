import { digestOf } from '#base/digest.ts'
import { invalid } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { manifestSizeLimit, parseManifest } from '#oci/manifest.ts'
import { mediaTypes } from '#oci/media-types.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { StoredImage } from '../store/image-store.ts'
import type { PlannedDocument, PlannedManifest } from './push-plan.ts'

/** The manifest with these blobs instead of its own; its own bytes when they are the same. */
export function withLayers(
  { manifest, descriptor, bytes }: Omit<PlannedManifest, 'diffIds'>,
  blobs: readonly Descriptor[],
): PlannedDocument {
  const isSame = manifest.layers.every(({ digest }, index) => digest === blobs[index]?.digest)
  if (isSame) return { descriptor, bytes }
  const document = JSON.parse(bytes.toString('utf8')) as { readonly layers: readonly object[] }
  const layers = document.layers.map((layer, index) => {
    const blob = blobs[index]
    return !blob || blob.digest === manifest.layers[index]?.digest ? layer : toLayer(blob, manifest.mediaType)
  })
  const rebuilt = Buffer.from(JSON.stringify({ ...document, layers }))
  const { mediaType } = descriptor
  return { descriptor: { mediaType, digest: digestOf(rebuilt), size: rebuilt.length }, bytes: rebuilt }
}

/** The manifest of an image with the blobs that are here for its layers.   @throws `not-found` without the image's own manifest */
export async function withStandIns(
  content: Pick<ContentStore, 'read'>,
  { manifest: descriptor, layers }: Pick<StoredImage, 'manifest' | 'layers'>,
): Promise<PlannedDocument> {
  const bytes = await content.read(descriptor.digest, manifestSizeLimit)
  const { mediaType } = descriptor
  const manifest = parseManifest(bytes.toString('utf8'), { mediaType, what: `manifest ${descriptor.digest}` })
  if (manifest.kind !== 'manifest') throw invalid(`manifest ${descriptor.digest} is an index`)
  return withLayers(
    { descriptor, manifest, bytes },
    layers.map((layer) => layer.standIn ?? layer.descriptor),
  )
}

/** Docker's manifests name types of Docker, others those of the OCI. */
const dialects: readonly (readonly [oci: string, docker: string])[] = [
  [mediaTypes.ociLayer, mediaTypes.dockerLayer],
  [mediaTypes.ociLayerGzip, mediaTypes.dockerLayerGzip],
  [mediaTypes.ociLayerZstd, mediaTypes.dockerLayerZstd],
]

function toLayer({ mediaType, digest, size }: Descriptor, manifestType: string): Descriptor {
  const pair = dialects.find((one) => one.includes(mediaType))
  const translated = pair?.[manifestType === mediaTypes.dockerManifest ? 1 : 0] ?? mediaType
  return { mediaType: translated, digest, size }
}
