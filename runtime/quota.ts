import type { Library } from './library.ts'

/** Limits of what directories hold, by project quotas of their filesystem: xfs mounted with `pquota`, ext4 with the feature `project` and `prjquota`. */
export interface DirectoryQuotas {
  /** Whether the filesystem of this directory has such limits, switched on. */
  isEnforced(directory: string): Promise<boolean>
  /** To be called while the directory is empty.   @param limit.wanted the project's number counts from here; it is the next one that nobody uses */
  limit(directory: string, limit: { readonly bytes: number; readonly wanted: number }): Promise<void>
  /** Allows so much beyond the limit, until that is ended by 0. What has no limit is passed over. */
  widen(directory: string, bytes: number): Promise<void>
  /** To be called before the directory is removed: a limit outlives it. What has none is passed over. */
  lift(directory: string): Promise<void>
}

export function openDirectoryQuotas(library: Library): DirectoryQuotas {
  return {
    isEnforced: async (directory) => (await library.wait('berth_quota_enforced', directory)) === 1,
    async limit(directory, { bytes, wanted }) {
      await library.wait('berth_quota_limit', directory, wanted % 2 ** 30, bytes)
    },
    async widen(directory, bytes) {
      await library.wait('berth_quota_widen', directory, bytes)
    },
    async lift(directory) {
      await library.wait('berth_quota_lift', directory)
    },
  }
}
