import type { SnapshotMounts } from './snapshotter.ts'

/** Directories of one snapshot below `snapshots/<id>`. */
export interface SnapshotDirectories {
  /** The whole of it. */
  readonly own: string
  /** What the snapshot adds to its parents, or under the copying format all of it. */
  readonly files: string
  /** overlayfs' own scratch space. */
  readonly work: string
  /** An empty place where old kernels may mount. */
  readonly merged: string
}

/** How a snapshotter lays files out: the one thing in which overlay and copying differ. */
export interface TreeFormat {
  readonly driver: 'overlay2' | 'vfs'

  /** Fills the empty directory of a new active snapshot. `parents` are its ancestors, the nearest first. */
  createActive(own: SnapshotDirectories, parents: readonly SnapshotDirectories[], signal?: AbortSignal): Promise<void>

  /** Fills the empty directory of a new view. */
  createView(own: SnapshotDirectories): Promise<void>

  /** The directories by the names that dockerd's driver has for them. */
  describe(own: SnapshotDirectories, parents: readonly SnapshotDirectories[]): Readonly<Record<string, string>>

  mounts(own: SnapshotDirectories, parents: readonly SnapshotDirectories[], readOnly: boolean): SnapshotMounts
}
