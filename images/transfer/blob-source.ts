import type { Descriptor } from '#oci/descriptor.ts'
import type { Ingest } from '../content/ingest.ts'

export interface BlobRequest {
  readonly descriptor: Descriptor
  readonly ingest: Ingest
  /** Told after each piece: bytes so far. */
  readonly onProgress?: (bytes: number) => void
  /** Told when the source has broken off: how long until it is tried again. */
  readonly onRetry?: (inMs: number) => void
  readonly signal: AbortSignal
}

/** Where an image comes from: a repository of a registry, a layout in a directory. */
export interface BlobSource {
  /** The bytes of a manifest or index, verified.   @throws `not-found`, `data-loss`, `too-large` */
  readManifest(descriptor: Descriptor, signal: AbortSignal): Promise<Buffer>
  /** Writes the whole blob into the ingest; the caller commits it. */
  fetchBlob(request: BlobRequest): Promise<void>
  /** The bytes of a blob were wrong.   @returns whether they may be right next time, from somebody else */
  distrust?(descriptor: Descriptor): boolean
}
