import { digestOf } from '#base/digest.ts'
import { dataLoss, tooLarge } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import type { Reference } from '#oci/reference.ts'
import type { EndpointSession } from './endpoint-session.ts'
import { type BlobSink, fetchBlob } from './fetch-blob.ts'

export interface BlobRead {
  readonly reference: Reference
  readonly descriptor: Descriptor
  /** In bytes. */
  readonly limit: number
  readonly signal: AbortSignal
}

/** A small blob, such as a config, verified.   @throws `too-large`, `data-loss` */
export async function readBlob(
  session: EndpointSession,
  { reference, descriptor, limit, signal }: BlobRead,
): Promise<Buffer> {
  const { digest, size } = descriptor
  if (size > limit) throw tooLarge(`${digest} has ${size} bytes; at most ${limit} are read`)
  const sink = new MemorySink()
  await fetchBlob(session, { reference, descriptor, ingest: sink, signal })
  const bytes = sink.bytes()
  if (digestOf(bytes) !== digest) throw dataLoss(`${digest} has other content`, { code: 'blob-digest' })
  return bytes
}

class MemorySink implements BlobSink {
  #chunks: Uint8Array[] = []
  size = 0

  async write(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(chunk)
    this.size += chunk.byteLength
  }

  async restart(): Promise<void> {
    this.#chunks = []
    this.size = 0
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }
}
