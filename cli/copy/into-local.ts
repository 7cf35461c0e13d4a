import { constants, type Stats } from 'node:fs'
import { chmod, link, lstat, mkdir, open, symlink, unlink, utimes } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { invalid, systemCode } from '#base/errors.ts'
import { type ReadEntry, readTar } from './tar-read.ts'

export interface Unpacking {
  /** The first words of the archive's names, which become `name` below `directory`. */
  readonly from: string
  readonly directory: string
  readonly name: string
}

/**
 * Makes the files of an archive that a container has shaped. Nothing of it is written outside of `directory`, and no symlink is followed
 * below it. Owners stay ours.   @throws `invalid` in docker's words
 */
export async function unpackLocal(source: AsyncIterable<Buffer>, unpacking: Unpacking): Promise<void> {
  const times: (() => Promise<void>)[] = []
  const checked = new Set<string>()
  for await (const entry of readTar(source)) {
    const path = pathOf(entry.name, unpacking)
    await checkParents(dirname(path), unpacking.directory, checked)
    await make(entry, path, { unpacking, times })
    if (entry.type !== '5') checked.clear()
  }
  // What is put into a directory changes its time.
  for (const set of times.toReversed()) await set()
}

interface Making {
  readonly unpacking: Unpacking
  readonly times: (() => Promise<void>)[]
}

async function make(entry: ReadEntry, path: string, { unpacking, times }: Making): Promise<void> {
  const there = await find(path)
  if (entry.type === '5') {
    if (there && !there.isDirectory())
      throw invalid(`cannot overwrite non-directory "${path}" with directory "${entry.name}"`)
    if (!there) await mkdir(path)
    await chmod(path, entry.mode & 0o7777)
    times.push(() => utimes(path, entry.mtime, entry.mtime))
    return
  }
  if (!['0', '1', '2', '7'].includes(entry.type)) return
  if (there?.isDirectory()) throw invalid(`cannot overwrite directory "${path}" with non-directory "${entry.name}"`)
  if (there) await unlink(path)
  if (entry.type === '2') return await makeSymlink(entry, path, unpacking.directory)
  if (entry.type === '1') {
    const target = pathOf(entry.target, unpacking)
    await checkParents(dirname(target), unpacking.directory, new Set())
    return await link(target, path)
  }
  await makeFile(entry, path)
}

async function makeFile(entry: ReadEntry, path: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  await using file = await open(path, flags, 0o600)
  for await (const chunk of entry.content()) await file.writeFile(chunk)
  await file.chmod(entry.mode & 0o7777)
  await file.utimes(entry.mtime, entry.mtime)
}

async function makeSymlink({ target }: ReadEntry, path: string, root: string): Promise<void> {
  // As docker: an absolute one is taken as of the directory that it lies in.
  const leads = join(dirname(path), target)
  if (leads !== root && !leads.startsWith(root === '/' ? root : `${root}/`)) {
    throw invalid(`invalid symlink "${path}" -> "${target}"`)
  }
  await symlink(target, path)
}

function pathOf(name: string, { from, directory, name: own }: Unpacking): string {
  const words = name.split('/').filter((word) => word !== '' && word !== '.')
  if (words.includes('..') || name.includes('\0')) throw invalid(`invalid entry name "${name}"`)
  const first = from === '.' || from === '/' ? [] : words.splice(0, 1)
  if (first[0] !== undefined && first[0] !== from) throw invalid(`invalid entry name "${name}"`)
  return resolve(directory, own, ...words)
}

/** Symlinks above the directory are the user's own. */
async function checkParents(path: string, directory: string, checked: Set<string>): Promise<void> {
  if (path === directory || !path.startsWith(directory) || checked.has(path)) return
  await checkParents(dirname(path), directory, checked)
  const there = await find(path)
  if (!there) await mkdir(path)
  else if (!there.isDirectory()) throw invalid(`"${path}" is no directory, but the archive has files in it`)
  checked.add(path)
}

async function find(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
