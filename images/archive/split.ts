import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { invalid, isKind } from '#base/errors.ts'
import type { LayerUnpackPorts } from '../layers/unpack.ts'
import { defaultLimits, runUnpack } from '../layers/unpack-process.ts'
import { tapped } from './tap.ts'
import { TreeReader } from './tree-reader.ts'

/** An archive in pieces: its members as files. Disposing deletes them. */
export interface SplitArchive extends AsyncDisposable {
  readonly files: TreeReader
}

/** Blobs and a few documents; images of 500 layers have some thousand. */
const maxEntries = 100_000

/**
 * Has the confined child decompress an archive and put its members into a directory of the snapshotter's, which deletes it at the next start
 * if we do not come to it. The stream is left where the archive ends badly, not destroyed: it may be a request that wants an answer.
 * @throws `invalid` for what is no tar archive or breaks a limit, `no-space`, `cancelled`
 */
export async function splitArchive(
  { executable, snapshots }: LayerUnpackPorts,
  archive: Readable,
  signal: AbortSignal,
): Promise<SplitArchive> {
  const key = `unpack-archive-${randomUUID()}`
  const mounts = await snapshots.prepare(key, undefined, { signal })
  const remove = () => snapshots.discard(key)
  try {
    const limits = { ...defaultLimits, entries: maxEntries }
    await tapped(archive, 'the archive', (stream) =>
      runUnpack(executable, { source: { stream }, mounts, limits }, signal),
    )
  } catch (error) {
    await remove()
    if (isKind(error, 'invalid')) throw invalid(`the archive cannot be read: ${error.message}`, { cause: error })
    throw error
  }
  return { files: new TreeReader(mounts.path), [Symbol.asyncDispose]: remove }
}
