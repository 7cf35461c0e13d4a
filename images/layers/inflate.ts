import { randomUUID } from 'node:crypto'
import type { BlobInfo, Ingest } from '../content/ingest.ts'
import type { LayerUnpackPorts } from './unpack.ts'
import { defaultLimits, type LayerSource, runInflate } from './unpack-process.ts'

/** Fills the ingest with what the source holds, decompressed (gzip, zstd, xz, bzip2; plain bytes as they are) by the confined child.
 *  @throws `invalid` for a damaged stream or one that breaks a limit, `no-space`, `cancelled` */
export async function inflateInto(
  { executable, snapshots }: LayerUnpackPorts,
  ingest: Ingest,
  source: LayerSource,
  signal: AbortSignal,
): Promise<BlobInfo> {
  const key = `unpack-nothing-${randomUUID()}`
  const { path: directory } = await snapshots.prepare(key, undefined, { signal })
  try {
    return await ingest.fill(async (output) => {
      const { diffId, size } = await runInflate(
        executable,
        { source, directory, output, limits: defaultLimits },
        signal,
      )
      return { digest: diffId, size }
    })
  } finally {
    await snapshots.discard(key)
  }
}
