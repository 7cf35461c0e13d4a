import type { BigIntStats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { systemCode } from '#base/errors.ts'

/** One file of a log that may be rotated at any moment: the descriptor stays with the content, whatever its name becomes. */
export interface LogFile extends AsyncDisposable {
  readonly handle: FileHandle
  readonly inode: bigint
}

/** More rotated files than this are not looked for. */
const rotatedLimit = 1000

/** The log's files, oldest first. Opened from the newest on: one that is rotated meanwhile shows up twice and is taken once. */
export async function openLogFiles(path: string): Promise<LogFile[]> {
  const files: LogFile[] = []
  for (let number = 0; number <= rotatedLimit; number += 1) {
    const file = await openLogFile(number === 0 ? path : `${path}.${number}`)
    if (!file) {
      // A rotation is two renames: the live file may be missing for a moment while older ones are there.
      if (number === 0) continue
      break
    }
    if (files.some(({ inode }) => inode === file.inode)) await file[Symbol.asyncDispose]()
    else files.push(file)
  }
  return files.reverse()
}

async function openLogFile(path: string): Promise<LogFile | undefined> {
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  const { ino }: BigIntStats = await handle.stat({ bigint: true })
  return { handle, inode: ino, [Symbol.asyncDispose]: () => handle.close() }
}

/** The file that follows the one with this inode; when rotation has deleted that one already, the oldest there is. */
export async function openNext(path: string, inode: bigint): Promise<LogFile | undefined> {
  const files = await openLogFiles(path)
  const at = files.findIndex((file) => file.inode === inode)
  const next = files[at + 1]
  await Promise.all(files.filter((file) => file !== next).map((file) => file[Symbol.asyncDispose]()))
  return next
}
