import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf, encodedOf } from '#base/digest.ts'
import { dataLoss, invalid, notFound, systemCode, tooLarge } from '#base/errors.ts'
import { type Descriptor, readDescriptor } from '#oci/descriptor.ts'
import { JsonReader } from '#oci/json.ts'
import { manifestSizeLimit } from '#oci/manifest.ts'
import type { BlobRequest, BlobSource } from './blob-source.ts'

/** An OCI image layout in a directory of our own (not for uploads: paths are followed as they are). @see image-spec v1.1 image-layout.md */
export interface Layout extends BlobSource {
  /** What index.json lists. */
  readonly roots: readonly Descriptor[]
}

/** @throws `not-found` when there is no layout, `invalid` for one of another version */
export async function openLayout(directory: string): Promise<Layout> {
  const what = `the image layout ${directory}`
  const marker = JsonReader.parse(await readSmall(join(directory, 'oci-layout')), what)
  const version = marker.field('imageLayoutVersion').string()
  if (!version.startsWith('1.')) throw invalid(`${what} has version ${version}; only 1.x is supported`)
  const index = JsonReader.parse(await readSmall(join(directory, 'index.json')), `the index of ${what}`)
  const roots = index.field('manifests').array(1000).map(readDescriptor)
  const pathOf = ({ digest }: Descriptor) => join(directory, 'blobs', 'sha256', encodedOf(digest))
  return {
    roots,
    async readManifest(descriptor) {
      const bytes = Buffer.from(await readSmall(pathOf(descriptor)))
      if (digestOf(bytes) !== descriptor.digest) throw dataLoss(`manifest ${descriptor.digest} in ${what} is damaged`)
      return bytes
    },
    async fetchBlob({ descriptor, ingest, onProgress, signal }: BlobRequest) {
      signal.throwIfAborted()
      for await (const chunk of createReadStream(pathOf(descriptor), { signal, highWaterMark: 1 << 20 })) {
        await ingest.write(chunk as Buffer)
        onProgress?.(ingest.size)
      }
    },
  }
}

async function readSmall(path: string): Promise<string> {
  try {
    const { size } = await stat(path)
    if (size > manifestSizeLimit) throw tooLarge(`${path} has ${size} bytes; at most ${manifestSizeLimit} are read`)
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw notFound(`${path} is missing`, { cause: error })
    throw error
  }
}
