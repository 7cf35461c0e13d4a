import { type Digest, digestOf } from '#base/digest.ts'
import { dataLoss } from '#base/errors.ts'
import { manifestSizeLimit } from '#oci/manifest.ts'
import type { Ingest } from '../content/ingest.ts'
import type { BlobSource } from '../transfer/blob-source.ts'
import { blobPath } from './documents.ts'
import type { TreeReader } from './tree-reader.ts'

/** Blobs of a split archive.   @param made what the archive has under another name than its digest, or not at all */
export function archiveSource(files: TreeReader, made: ReadonlyMap<Digest, Buffer | string> = new Map()): BlobSource {
  return {
    async readManifest({ digest }) {
      const path = made.get(digest) ?? blobPath(digest)
      const bytes = typeof path === 'string' ? await files.read(path, manifestSizeLimit) : path
      if (digestOf(bytes) !== digest) throw dataLoss(`manifest ${digest} in the archive is damaged`)
      return bytes
    },
    async fetchBlob({ descriptor: { digest }, ingest, onProgress, signal }) {
      const path = made.get(digest) ?? blobPath(digest)
      if (typeof path === 'string') await copyFile(files, path, { ingest, onProgress, signal })
      else await ingest.write(path)
    },
  }
}

/** Writes a member of the archive into an ingest, from where an earlier write ended. */
export async function copyFile(
  files: TreeReader,
  path: string,
  to: { ingest: Ingest; onProgress?: ((bytes: number) => void) | undefined; signal: AbortSignal },
): Promise<void> {
  await using file = await files.open(path)
  const options = { start: to.ingest.size, signal: to.signal, highWaterMark: 1 << 20, autoClose: false }
  const stream = file.createReadStream(options)
  for await (const chunk of stream) {
    await to.ingest.write(chunk as Buffer)
    to.onProgress?.(to.ingest.size)
  }
}
