import { encodedOf } from '#base/digest.ts'
import { type TestImage, toDescriptor } from './base-image.ts'
import { type TarEntry, tar } from './tar.ts'

export const json = (name: string, value: unknown): TarEntry => ({ name, content: JSON.stringify(value) })
export const layoutMarker = json('oci-layout', { imageLayoutVersion: '1.0.0' })

export const blobsOf = ({ root, manifests, blobs }: TestImage): TarEntry[] =>
  [root, ...manifests, ...blobs].map(({ digest, bytes }) => ({
    name: `blobs/sha256/${encodedOf(digest)}`,
    content: bytes,
  }))

/** An OCI layout and nothing else.   @param annotations of the image's entry: its name */
export function ociArchive(image: TestImage, annotations: object = {}, blobs = blobsOf(image)): Buffer {
  const index = { schemaVersion: 2, manifests: [{ ...toDescriptor(image.root), annotations }] }
  return tar([...blobs, json('index.json', index), layoutMarker])
}
