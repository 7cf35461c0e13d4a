import { type Digest, digestOf } from '#base/digest.ts'
import { dataLoss } from '#base/errors.ts'
import { manifestSizeLimit } from '#oci/manifest.ts'
import type { Ingest } from '../content/ingest.ts'
import { digestFile } from '../layers/file-digest.ts'
import type { BlobSource } from '../transfer/blob-source.ts'
import { blobPath } from './documents.ts'
import type { TreeReader } from './tree-reader.ts'

export interface ArchiveSourcePorts {
  /** Path of the berth-unpack executable. */
  readonly executable: string
}

/** Blobs of a split archive.   @param made what the archive has under another name than its digest, or not at all */
export function archiveSource(
  ports: ArchiveSourcePorts,
  files: TreeReader,
  made: ReadonlyMap<Digest, Buffer | string> = new Map(),
): BlobSource {
  return {
    async readManifest({ digest }) {
      const path = made.get(digest) ?? blobPath(digest)
      const bytes = typeof path === 'string' ? await files.read(path, manifestSizeLimit) : path
      if (digestOf(bytes) !== digest) throw dataLoss(`manifest ${digest} in the archive is damaged`)
      return bytes
    },
    async fetchBlob({ descriptor: { digest }, ingest, onProgress, signal }) {
      const path = made.get(digest) ?? blobPath(digest)
      if (typeof path === 'string') await takeFile(ports, files, path, { ingest, onProgress, signal })
      else await ingest.write(path)
    },
  }
}

interface Target {
  readonly ingest: Ingest
  readonly onProgress?: ((bytes: number) => void) | undefined
  readonly signal: AbortSignal
}

const pieceBytes = 1 << 20

/** Below this a copy is faster than a child that hashes. */
const worthAdoptingBytes = 2 << 20

/** Puts a member of the archive into an ingest: as the file that it is, or its bytes where that cannot be. */
export async function takeFile(ports: ArchiveSourcePorts, files: TreeReader, path: string, to: Target): Promise<void> {
  if (!(await adoptFile(ports, files, path, to))) await copyFile(files, path, to)
}

async function adoptFile(
  { executable }: ArchiveSourcePorts,
  files: TreeReader,
  path: string,
  { ingest, onProgress, signal }: Target,
): Promise<boolean> {
  const file = await files.find(path)
  if (file.size < worthAdoptingBytes) return false
  return await ingest.adopt(file.path, async (fd) => {
    // Whoever unpacks what arrives begins with this, beside the hashing.
    onProgress?.(file.size)
    return await digestFile(executable, { fd }, signal)
  })
}

/** From where an earlier write ended. */
async function copyFile(files: TreeReader, path: string, { ingest, onProgress, signal }: Target): Promise<void> {
  await using file = await files.open(path)
  for (;;) {
    signal.throwIfAborted()
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(pieceBytes), 0, pieceBytes, ingest.size)
    if (bytesRead === 0) return
    await ingest.write(buffer.subarray(0, bytesRead))
    onProgress?.(ingest.size)
  }
}
