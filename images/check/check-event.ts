/** What `system check` tells, as it goes. */
export type CheckEvent =
  | { readonly progress: { readonly what: 'blobs' | 'layers'; readonly done: number; readonly total: number } }
  | { readonly finding: Finding }
  | { readonly summary: CheckSummary }

export interface Finding {
  readonly object: 'database' | 'blob' | 'layer' | 'container'
  /** The digest, the chainId, the container's id; '' for the database. */
  readonly name: string
  /** `unneeded` is no damage. */
  readonly problem: 'damaged' | 'missing' | 'unneeded'
  /** In words, such as `content etc/motd`. */
  readonly details: readonly string[]
  /** References, or ids where there is none. */
  readonly images: readonly string[]
  /** Ids. */
  readonly containers: readonly string[]
  /** What was done; undefined: nothing, or it was not asked for. */
  readonly repair?: Repair
  /** Why nothing could be done. */
  readonly failure?: string
}

/**
 * - `rewritten`, `fetched`, `unpacked`: it is whole again, from the database, a registry, its blob.
 * - `removed`: nobody needed it.
 * - `set-aside`: a layer's blob is in the quarantine; its images have the layer unpacked and can be used.
 * - `unlisted`: its images are in the quarantine and no longer listed; pull them again.
 */
export type Repair = 'rewritten' | 'fetched' | 'unpacked' | 'removed' | 'set-aside' | 'unlisted'

export interface CheckSummary {
  readonly blobs: number
  readonly layers: number
  /** Layers that were not recorded yet, and are therefore not compared. */
  readonly unrecorded: number
  /** Damage found; what is only unneeded is not counted. */
  readonly problems: number
  readonly repaired: number
}
