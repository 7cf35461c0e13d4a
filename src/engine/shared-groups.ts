import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '#base/errors.ts'
import type { CgroupLayout } from '#runtime/cgroup.ts'

/** Those of all shims and containers without a parent of their own; the shims make them. */
const shared = ['berth/shims', 'berth']

/** Removes the shared groups where nobody is left in them: containers that live on, and other engines, keep theirs. */
export async function removeEmptySharedGroups({ hierarchies }: CgroupLayout): Promise<void> {
  for (const { mount } of hierarchies) {
    for (const path of shared) await removeIfEmpty(join(mount, path))
  }
}

async function removeIfEmpty(path: string): Promise<void> {
  try {
    await rmdir(path)
  } catch (error) {
    if (!['EBUSY', 'ENOTEMPTY', 'ENOENT'].includes(systemCode(error) ?? '')) throw error
  }
}
