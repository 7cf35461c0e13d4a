import { JsonReader } from '#oci/json.ts'
import type { SnapshotUsage } from './snapshotter.ts'
import { runTreeJob } from './tree-process.ts'

/** Counts the disk blocks and inodes below a directory, hard links once, in a child: a container's own layer may hold millions of files
 *  and is the container's to shape. @throws `internal` when it is nested too deep or too large to count, `cancelled` */
export async function measureTree(executable: string, directory: string, signal?: AbortSignal): Promise<SnapshotUsage> {
  const counts = await countTree(executable, directory, signal)
  return { bytes: counts.field('bytes').size(), inodes: counts.field('inodes').size() }
}

/** The lengths of the files below a directory: what Docker calls the size of a volume or a container.   @throws as `measureTree` does */
export async function measureContent(executable: string, directory: string, signal?: AbortSignal): Promise<number> {
  return (await countTree(executable, directory, signal)).field('content').size()
}

async function countTree(executable: string, directory: string, signal?: AbortSignal): Promise<JsonReader> {
  return JsonReader.parse(await runTreeJob(executable, '--usage', directory, signal), 'the count of berth-unpack')
}
