import { constants } from 'node:fs'
import { open, opendir } from 'node:fs/promises'
import { internal } from '#base/errors.ts'
import type { Snapshotter } from '../snapshots/snapshotter.ts'
import { startPack } from './pack-process.ts'
import { defaultLimits, runUnpack } from './unpack-process.ts'

export interface CopyPorts {
  /** Path of the berth-unpack executable. */
  readonly executable: string
  readonly snapshots: Pick<Snapshotter, 'driver'>
}

export interface TreeCopy {
  /** Directories of layers, the topmost first; nobody writes to them meanwhile. */
  readonly layers: readonly string[]
  /** An empty directory. */
  readonly target: string
}

const unlimited = `${Number.MAX_SAFE_INTEGER}`

/**
 * Copies what layers make together, with owners, modes, times and attributes; the directory gets those of the topmost one. Two confined
 * children do it: one reads the layers, one sees nothing but the directory.
 * @throws `no-space`, `cancelled`, `invalid` naming a file that cannot be copied
 */
export async function copyTree(
  { executable, snapshots }: CopyPorts,
  { layers, target }: TreeCopy,
  signal: AbortSignal,
): Promise<void> {
  if (await areEmpty(layers)) return await takeAttributes(layers[0], target)
  const trees = { areOverlay: snapshots.driver === 'overlay2', directories: layers }
  const reading = await startPack(executable, { job: '--export', trees, options: ['--limit-bytes', unlimited] }, signal)
  try {
    if (!reading.archive) throw internal('berth-unpack was started without a pipe')
    const mounts = {
      kind: 'directory',
      path: target,
      lower: [],
      upper: undefined,
      work: undefined,
      readOnly: false,
    } as const
    const limits = { ...defaultLimits, bytes: Number.MAX_SAFE_INTEGER }
    await runUnpack(executable, { source: { stream: reading.archive }, mounts, limits }, signal)
    await reading.answer
  } finally {
    await reading.stop()
  }
  await takeAttributes(layers[0], target)
}

/** A mount point that an image prepares is an empty directory most of the time. */
async function areEmpty(directories: readonly string[]): Promise<boolean> {
  for (const path of directories) {
    await using directory = await opendir(path)
    if ((await directory.read()) !== null) return false
  }
  return true
}

/** The archive has no entry for the directory itself. */
async function takeAttributes(from: string | undefined, target: string): Promise<void> {
  if (from === undefined) return
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
  await using source = await open(from, flags)
  await using directory = await open(target, flags)
  const { uid, gid, mode, atime, mtime } = await source.stat()
  await directory.chown(uid, gid)
  await directory.chmod(mode & 0o7777)
  await directory.utimes(atime, mtime)
}
