import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { internal, messageOf, systemCode } from '#base/errors.ts'

/**
 * `-v` makes a host directory that is missing; a file or a special file is taken as it is.
 * @throws `internal` in Docker's words
 */
export async function makeBindSource(path: string): Promise<void> {
  try {
    await makeDirectories(path)
  } catch (error) {
    throw internal(`error while creating mount source path '${path}': ${messageOf(error)}`, { cause: error })
  }
}

/** Not mkdir's own `recursive`: below /proc, where making fails although the parent is there, Node 26 tries for ever. */
async function makeDirectories(path: string): Promise<void> {
  if (await makeDirectory(path)) return
  await makeDirectories(dirname(path))
  if (!(await makeDirectory(path))) throw new Error(`mkdir ${path}: no such file or directory`)
}

/** @returns false when the parent is missing, or says that it is */
async function makeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o755 })
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return true
    if (systemCode(error) === 'ENOENT' && dirname(path) !== path) return false
    throw error
  }
  return true
}
