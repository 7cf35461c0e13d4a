import { internal } from '#base/errors.ts'
import type { SnapshotUsage } from './snapshotter.ts'
import { runTreeJob } from './tree-process.ts'

/** Counts the disk blocks and inodes below a directory, hard links once, in a child: a container's own layer may hold millions of files
 *  and is the container's to shape. @throws `internal` when it is nested too deep or too large to count, `cancelled` */
export async function measureTree(executable: string, directory: string, signal?: AbortSignal): Promise<SnapshotUsage> {
  const line = await runTreeJob(executable, '--usage', directory, signal)
  const value: unknown = JSON.parse(line)
  if (typeof value === 'object' && value !== null && 'bytes' in value && 'inodes' in value) {
    const { bytes, inodes } = value
    if (typeof bytes === 'number' && typeof inodes === 'number') return { bytes, inodes }
  }
  throw internal(`berth-unpack answered a bad count: ${line.slice(0, 200)}`)
}
