import { type Digest, parseDigest } from '#base/digest.ts'
import { internal } from '#base/errors.ts'
import type { SnapshotUsage } from '../snapshots/snapshotter.ts'

export interface UnpackResult {
  readonly diffId: Digest
  /** Bytes of the uncompressed archive. */
  readonly size: number
  readonly entries: number
  /** What the files take on disk. */
  readonly usage: SnapshotUsage
}

/** Reads the one line that berth-unpack prints on success. The numbers are its own, not the archive's, but it has read hostile bytes:
 *  everything is checked. @throws `internal` */
export function parseUnpackResult(line: string): UnpackResult {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw internal(`berth-unpack answered no JSON: ${line.slice(0, 200)}`, { cause })
  }
  const { diffId } = typeof value === 'object' && value !== null && 'diffId' in value ? value : { diffId: undefined }
  if (typeof diffId !== 'string') throw internal('berth-unpack answered no diffId')
  return {
    diffId: parseDigest(diffId),
    size: countOf(value, 'size'),
    entries: countOf(value, 'entries'),
    usage: { bytes: countOf(value, 'diskBytes'), inodes: countOf(value, 'inodes') },
  }
}

function countOf(value: unknown, key: string): number {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 0)
    throw internal(`berth-unpack answered a bad '${key}'`)
  return found
}
