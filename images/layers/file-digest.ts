import { parseDigest } from '#base/digest.ts'
import { internal } from '#base/errors.ts'
import type { BlobInfo } from '../content/content-store.ts'
import { runTreeJobOn } from '../snapshots/tree-process.ts'

export interface FileDigestRun {
  /** Read from its current position to its end; stays the caller's. */
  readonly fd: number
  /** Nobody waits for it. */
  readonly isInBackground?: boolean
}

/** Hashes a file in a confined child.   @throws `internal` also for what the disk does not give, `unavailable`, `cancelled` */
export async function digestFile(
  executable: string,
  { fd, isInBackground = false }: FileDigestRun,
  signal: AbortSignal,
): Promise<BlobInfo> {
  const args = ['--digest', ...(isInBackground ? [] : ['--prompt'])]
  const line = await runTreeJobOn(executable, args, { target: fd }, signal)
  const [, digest, size] = /^\{"digest":"(sha256:[0-9a-f]{64})","size":(\d{1,15})\}\n$/.exec(line) ?? []
  if (digest === undefined) throw internal(`berth-unpack answered no digest: ${line.slice(0, 200)}`)
  return { digest: parseDigest(digest), size: Number(size) }
}
