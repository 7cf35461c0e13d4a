import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodedOf } from '#base/digest.ts'
import { type TestImage, toDescriptor } from './base-image.ts'

/** Writes an image as an OCI layout. */
export async function writeLayout(directory: string, image: TestImage): Promise<void> {
  const blobs = join(directory, 'blobs/sha256')
  await mkdir(blobs, { recursive: true })
  for (const { digest, bytes } of [image.root, ...image.manifests, ...image.blobs]) {
    await writeFile(join(blobs, encodedOf(digest)), bytes)
  }
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const index = { schemaVersion: 2, manifests: [toDescriptor(image.root)] }
  await writeFile(join(directory, 'index.json'), JSON.stringify(index))
}
