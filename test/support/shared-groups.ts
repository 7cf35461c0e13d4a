import { join } from 'node:path'
import { removeEmptySharedGroups } from '#engine/shared-groups.ts'
import { openCgroups } from '#runtime/cgroup.ts'
import { openLibrary } from '#runtime/library.ts'

const libraryPath = join(import.meta.dirname, '../../build/native/libberth.so')

/** For the end of a run in which shims were started without a daemon, whose work this is; never while other tests run, which may be about to use them. */
export async function removeSharedGroups(): Promise<void> {
  await removeEmptySharedGroups(openCgroups(await openLibrary({ libraryPath })).layout())
}
