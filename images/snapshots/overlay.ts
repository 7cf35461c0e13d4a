import { chmod, chown, mkdir, stat } from 'node:fs/promises'
import type { SnapshotMounts } from './snapshotter.ts'
import type { TreeFormat } from './tree-format.ts'

/** Layers stay what they are, one directory each; the kernel stacks them. Mounting is the shim's. */
export const overlayFormat: TreeFormat = {
  driver: 'overlay2',

  async createActive(own, parents) {
    await mkdir(own.files, { mode: 0o755 })
    const [parent] = parents
    if (!parent) return
    await Promise.all([likeParent(own.files, parent.files), mkdir(own.work), mkdir(own.merged)])
  },

  async createView(own) {
    await mkdir(own.merged)
  },

  describe({ files, merged, work }, parents) {
    const lower = parents.map((one) => one.files).join(':')
    return { ...(lower !== '' && { LowerDir: lower }), MergedDir: merged, UpperDir: files, WorkDir: work }
  },

  mounts(own, parents, readOnly) {
    const lower = parents.map(({ files }) => files)
    const [only, ...others] = lower
    if (only === undefined) return directory(own.files, readOnly)
    if (readOnly && others.length === 0) return directory(only, true)
    const writable = readOnly ? { upper: undefined, work: undefined } : { upper: own.files, work: own.work }
    return { kind: 'overlay', path: own.merged, lower, ...writable, readOnly }
  },
}

/** The root of an overlay has the owner and mode of its uppermost directory. */
async function likeParent(files: string, parentFiles: string): Promise<void> {
  const { uid, gid, mode } = await stat(parentFiles)
  if (uid !== 0 || gid !== 0) await chown(files, uid, gid)
  await chmod(files, mode & 0o7777)
}

function directory(path: string, readOnly: boolean): SnapshotMounts {
  return { kind: 'directory', path, lower: [], upper: undefined, work: undefined, readOnly }
}
