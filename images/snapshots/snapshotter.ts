/**
 * Where the filesystem of a snapshot is found.
 * - `directory`: the files stand in `path` as they are.
 * - `overlay`: `lower` (absolute, the topmost first) below `upper`; `path` is an empty directory where it may be mounted.
 *   A view has no `upper` and no `work`.
 */
export interface SnapshotMounts {
  readonly kind: 'overlay' | 'directory'
  readonly path: string
  readonly lower: readonly string[]
  readonly upper: string | undefined
  readonly work: string | undefined
  readonly readOnly: boolean
}

export type SnapshotKind = 'active' | 'view' | 'committed'

export interface SnapshotInfo {
  /** The number of its directory below `snapshots/`. */
  readonly id: number
  readonly kind: SnapshotKind
  /** The key of an active snapshot or view, the name (a chainId) of a committed one. */
  readonly key: string
  /** Name of the committed snapshot below it; undefined for a base layer. */
  readonly parent: string | undefined
  readonly createdAt: Date
  /** What the snapshot adds to its parent, as measured at commit; undefined while it is active. */
  readonly usage: SnapshotUsage | undefined
  /** False until the kernel has surely written the files out: after a crash of the machine they may be damaged. */
  readonly durable: boolean
}

export interface SnapshotUsage {
  /** Bytes of disk, as `du` counts them (blocks, hard links once). */
  readonly bytes: number
  readonly inodes: number
}

/** How the files of a committed snapshot compare with what was recorded of them. */
export type SnapshotVerification =
  | { readonly state: 'intact'; readonly entries: number }
  /** The first differences in words (`content etc/motd`), and how many there are. */
  | { readonly state: 'damaged'; readonly differences: readonly string[]; readonly count: number }
  /** Not recorded yet: those that were not unpacked from a layer are, soon after they have become durable. */
  | { readonly state: 'unrecorded' }
  /** Its directory is gone. */
  | { readonly state: 'missing' }

export interface PrepareOptions {
  /** What the snapshot's directory may take of the disk: what it adds to its parent (overlay2), or all that it has (vfs). More is refused to
   *  whoever writes, with ENOSPC (xfs) or EDQUOT (ext4). */
  readonly limitBytes?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Filesystem states, stacked. A snapshot begins active under a key of the caller's choice, and is either removed or
 * committed under a name; only committed ones can be parents, and nothing of them changes any more.
 *
 *   prepare(key, parent) ─▶ active ─ commit(key, name) ─▶ committed ─ parent of others
 *   view(key, parent)    ─▶ view                        remove(key or name) ends each of them
 *
 * Keys and names share one namespace. A crash between two calls leaves either the state before or the one after;
 * directories without a record are collected when the snapshotter is opened.
 */
export interface Snapshotter {
  /** The implementation, as `docker info` tells it: `overlay2`, or `vfs` for the copying one. */
  readonly driver: 'overlay2' | 'vfs'

  /** Whether the filesystem can hold a snapshot to a size. */
  readonly canLimit: boolean

  /** Makes a writable snapshot on top of `parent` (a committed name), or an empty one.
   *  @throws `already-exists` for a key in use, `not-found` for a parent that is not committed, `unavailable` for a limit that cannot be had. */
  prepare(key: string, parent: string | undefined, options?: PrepareOptions): Promise<SnapshotMounts>

  /** Makes a read-only look at a committed snapshot, which holds it against removal.
   *  @throws as `prepare` does. */
  view(key: string, parent: string, signal?: AbortSignal): Promise<SnapshotMounts>

  /** Where an active snapshot or view is found. @throws `not-found`, or `conflict` for a committed one. */
  mounts(key: string): SnapshotMounts

  /** To be held while the snapshot is mounted: overlayfs makes directories then, and where there is no room for them its root is read-only,
   *  so that nobody could make room.   @throws `not-found` */
  roomToMount(key: string): Promise<AsyncDisposable>

  /** The directories of a snapshot and of those below it, itself first: what each adds (overlay2), or all that each has (vfs).
   *  For reading; hold the snapshot against removal meanwhile.   @throws `not-found` */
  directories(keyOrName: string): readonly string[]

  /** The same by the names of dockerd's drivers (`LowerDir`, `UpperDir` …; vfs: `Dir`). Nothing is mounted at `MergedDir`.   @throws `not-found` */
  describe(keyOrName: string): Readonly<Record<string, string>>

  /** Where berth-unpack puts a record of what it makes in the active snapshot, before the commit; undefined where not all of the tree is its
   *  making. Without one the committed snapshot is read for it, in the background.   @throws as `mounts` does */
  recordFile(key: string): string | undefined

  /** Turns the active snapshot into the committed one `name`; nobody may write to it any more.
   *  @throws `already-exists` when the name is taken (the snapshot stays active: remove it), `not-found`, `conflict` for a view. */
  commit(key: string, name: string, usage: SnapshotUsage): Promise<void>

  /** Ends a snapshot and deletes its files. Removing what is not there is success.
   *  @throws `conflict` while another snapshot stands on it. */
  remove(keyOrName: string): Promise<void>

  /** As `remove`, of what nobody needs: what cannot be removed now is tried again in the background, and by the next start. */
  discard(key: string): Promise<void>

  /** Of these committed snapshots, removes those on which nothing stands, in this order. They are gone when the call returns, their disk
   *  space when `freed` resolves. */
  removeUnused(names: readonly string[]): { readonly removed: readonly string[]; readonly freed: Promise<void> }

  /** The record, or undefined. */
  find(keyOrName: string): SnapshotInfo | undefined

  /** Every record, parents before children. */
  list(): readonly SnapshotInfo[]

  /** Counts what a snapshot adds to its parent. Walks the directory outside the event loop's thread.
   *  @throws `not-found`; `too-large` above ten million entries. */
  usage(keyOrName: string, signal?: AbortSignal): Promise<SnapshotUsage>

  /** The lengths of the files that an active snapshot has of its own: what Docker calls the size of a container.
   *  @throws as `usage` does */
  contentBytes(key: string, signal?: AbortSignal): Promise<number>

  /** Compares a committed snapshot with its record, outside the event loop's thread; of others it says only whether they are there.
   *  @throws `not-found`, `cancelled` */
  verify(keyOrName: string, signal?: AbortSignal): Promise<SnapshotVerification>

  /** Puts the files of an active snapshot into the place of a committed one's, which go; the active one ends. What is mounted keeps the
   *  old files, therefore these are moved to `aside` when it is given.   @throws `not-found`, `conflict` */
  replace(name: string, key: string, aside?: string): Promise<void>

  /** Whether a crash of the machine may have damaged the files of a committed snapshot, which stays because others stand on it.
   *  `replace` ends that. */
  isDoubtful(name: string): boolean

  /** Resolves when every snapshot committed so far is durable. Without this call it happens soon, in the background. */
  flush(signal?: AbortSignal): Promise<void>

  /** Ends background work; the records and directories stay. */
  [Symbol.asyncDispose](): Promise<void>
}
