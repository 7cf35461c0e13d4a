import { randomUUID } from 'node:crypto'
import { constants, type FileHandle, link, lstat, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { internal, systemCode } from '#base/errors.ts'

/**
 * Gives a file of somebody else's a second name, in place of what has that name, and makes it ours: owner, mode, time. What is no regular
 * file or has several names already is left alone: a hard link may lead to what others write.
 * @returns the file under its new name, open at its beginning; undefined, with nothing changed, when it cannot be had there
 */
export async function linkOwned(path: string, name: string): Promise<FileHandle | undefined> {
  const before = await lstat(path)
  if (!before.isFile() || before.nlink !== 1) return undefined
  const spare = join(dirname(name), randomUUID())
  if (!(await canLink(path, spare))) return undefined
  await using undo = new AsyncDisposableStack()
  undo.defer(() => rm(spare, { force: true }))
  const file = undo.use(await open(spare, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK))
  const { dev, ino, nlink } = await file.stat()
  if (dev !== before.dev || ino !== before.ino || nlink !== 2) throw internal(`${path} changed while it was taken`)
  // In this order: a change of the owner takes capabilities and set-id bits away.
  await file.chown(process.geteuid?.() ?? 0, process.getegid?.() ?? 0)
  await file.chmod(0o600)
  const now = new Date()
  await file.utimes(now, now)
  await rename(spare, name)
  undo.move()
  return file
}

async function canLink(path: string, name: string): Promise<boolean> {
  try {
    await link(path, name)
    return true
  } catch (error) {
    if (['EXDEV', 'EPERM', 'EMLINK', 'EOPNOTSUPP'].includes(systemCode(error) ?? '')) return false
    throw error
  }
}
