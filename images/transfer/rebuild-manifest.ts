import { digestOf } from '#base/digest.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { mediaTypes } from '#oci/media-types.ts'
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
