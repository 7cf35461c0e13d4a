import type { FileHandle } from 'node:fs/promises'
import type { Digest } from '#base/digest.ts'
import type { GrowingBlob } from './growth.ts'
import type { BlobInfo, Ingest } from './ingest.ts'

export type { GrowingBlob } from './growth.ts'
export type { BlobInfo, Ingest } from './ingest.ts'

/**
 * Immutable bytes by digest. A blob is there as a whole or not at all, also after a power cut; what nobody refers to is
 * removed by the image store, which asks the leases first.
 */
export interface ContentStore {
  /** Begins a write; several may run at once, also of the same blob. Dispose it in any case: what is not committed vanishes,
   *  save that of a blob that is named here: it is kept for a while, and the next write of this blob takes it up. */
  openIngest(blob?: BlobInfo): Promise<Ingest>

  /** A blob that somebody is writing to an ingest named for it. Waits for nothing: undefined when nobody is. */
  growing(digest: Digest): GrowingBlob | undefined

  /** What is known about a blob, or undefined. */
  find(digest: Digest): Promise<BlobInfo | undefined>

  /** Opens a blob for reading; the caller closes it.   @throws `not-found` */
  open(digest: Digest): Promise<FileHandle>

  /** A whole small blob (manifest, config).   @throws `not-found`, `too-large` above `limit` bytes */
  read(digest: Digest, limit: number): Promise<Buffer>

  /** Every blob, in no order. */
  list(): Promise<readonly Digest[]>

  /** Moves a blob to a path outside of the store (of the same file system); one that is not there is success. */
  moveOut(digest: Digest, path: string): Promise<void>

  /** Blobs are gone when the call returns, their disk space when it resolves; readers keep what they opened. Removing what is
   *  not there is success. */
  remove(digests: readonly Digest[]): Promise<void>

  /** Deletes the unfinished writes that nobody goes on with at the moment. */
  removePartials(): Promise<void>
}
