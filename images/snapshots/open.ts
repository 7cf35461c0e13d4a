import { readFile, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { unavailable } from '#base/errors.ts'
import type { DirectoryQuotas } from '#runtime/quota.ts'
import { copyFormat } from './copy.ts'
import { DirectorySnapshotter } from './directory-snapshotter.ts'
import { overlayFormat } from './overlay.ts'
import { type SnapshotDatabase, SnapshotStore } from './snapshot-store.ts'
import type { Snapshotter } from './snapshotter.ts'

export interface SnapshotterOptions {
  /** `<data-root>/snapshots`; its parent exists. */
  readonly root: string
  readonly database: SnapshotDatabase
  /** Path of the berth-unpack executable. */
  readonly executable: string
  /** Without it overlay2 where the host can, else vfs. */
  readonly driver?: Snapshotter['driver']
  /** Identifies this boot of the machine; the kernel's by default. */
  readonly bootId?: string
  /** Without them no snapshot can be held to a size. */
  readonly quotas?: DirectoryQuotas
  /** Told of failures in the background (layers could not be written out). */
  readonly onError: (error: unknown) => void
}

/** Filesystems that cannot be the writable side of an overlay (statfs(2)): overlayfs itself, NFS, SMB, FUSE, ecryptfs. */
const notUpper = new Set([0x794c7630, 0x6969, 0xff534d42, 0x517b, 0x65735546, 0xf15f])

/**
 * Opens the snapshots of a data root and deletes what a killed daemon left half done there.
 * @throws `unavailable` when they were made by the other driver, or the driver asked for cannot work here
 */
export async function openSnapshotter(options: SnapshotterOptions): Promise<Snapshotter> {
  const { root, database, executable, quotas, onError } = options
  const store = new SnapshotStore(database)
  const canOverlay = options.driver !== 'vfs' && (await overlayWorks(dirname(root)))
  if (options.driver === 'overlay2' && !canOverlay)
    throw unavailable(`overlayfs cannot be used on ${root}: choose another data root, or the storage driver vfs`)
  const bootId = options.bootId ?? (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  const format = canOverlay ? overlayFormat : copyFormat
  return DirectorySnapshotter.open({ root, store, format, executable, bootId, quotas, onError })
}

async function overlayWorks(directory: string): Promise<boolean> {
  const filesystems = await readFile('/proc/filesystems', 'utf8')
  if (!/\boverlay$/m.test(filesystems)) return false
  return !notUpper.has((await statfs(directory)).type)
}
