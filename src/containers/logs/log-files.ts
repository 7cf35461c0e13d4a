import type { BigIntStats } from 'node:fs'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { systemCode } from '#base/errors.ts'
import { identityOf, inflate } from './compressed.ts'

/** One file of a log that may be rotated at any moment: the descriptor stays with the content, whatever its name becomes. */
export interface LogFile extends AsyncDisposable {
  /** Of the file that was written, also when it is compressed by now. Of two with the same one the younger counts. */
  readonly inode: bigint
  readonly isCompressed: boolean
  /** The last time, in nanoseconds since 1970. */
  writtenAt(): Promise<bigint>
  /** The records; of a compressed one only when they are asked for. Closed with the file. */
  content(): Promise<FileHandle>
}

/** More rotated files than this are not looked for. */
const rotatedLimit = 1000

/** Looks that rotations may spoil, one after the other. */
const maxLooks = 100

/**
 * The log's files, oldest first. Opened from the newest on, while rotation only raises their numbers: one that is rotated meanwhile shows up
 * twice and is taken once; one that is compressed meanwhile may be missed under its number and is found under a later one. Where rotation was
 * faster than the look, younger files would come behind older ones: such a look is done again.
 */
export async function openLogFiles(path: string): Promise<LogFile[]> {
  for (let looks = 1; ; looks += 1) {
    const before = await inodeOf(path)
    const files = await look(path)
    const after = await inodeOf(path)
    // Between two of its names the log is not there: that tells nothing.
    const isWhole = before === after && (before !== undefined || files.length === 0)
    if (isWhole || looks === maxLooks) return files.reverse()
    await Promise.all(files.map((file) => file[Symbol.asyncDispose]()))
  }
}

/** Newest first. Ends when nothing is ahead of it any more. */
async function look(path: string): Promise<LogFile[]> {
  const files: LogFile[] = []
  let last = 0
  for (let number = 0; number <= rotatedLimit; number += 1) {
    if (number > last) last = await highestNumber(path)
    if (number > last) break
    const file = await openNumber(path, number)
    if (!file) continue
    if (await isAmong(files, file)) await file[Symbol.asyncDispose]()
    else files.push(file)
  }
  return files
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  try {
    return (await stat(path, { bigint: true })).ino
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function highestNumber(path: string): Promise<number> {
  const start = `${basename(path)}.`
  const names = await readdir(dirname(path)).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
  const numbers = names
    .filter((name) => name.startsWith(start))
    .map((name) => Number(/^(\d+)(?:\.gz)?$/.exec(name.slice(start.length))?.[1] ?? 0))
  return Math.max(0, ...numbers)
}

async function isAmong(files: readonly LogFile[], file: LogFile): Promise<boolean> {
  for (const other of files) if (await isSame(other, file)) return true
  return false
}

/**
 * Whether one has been seen under another number, or before it was compressed. An inode alone does not tell: that of a file which is
 * compressed by now may be a younger one's.
 */
async function isSame(one: LogFile, other: LogFile): Promise<boolean> {
  if (one.inode !== other.inode) return false
  if (!one.isCompressed && !other.isCompressed) return true
  return (await one.writtenAt()) === (await other.writtenAt())
}

/** Once there is a compressed one, the plain one is about to go. */
async function openNumber(path: string, number: number): Promise<LogFile | undefined> {
  if (number === 0) return await openPlain(path)
  return (await openPlain(`${path}.${number}`)) ?? (await openCompressed(`${path}.${number}.gz`))
}

async function openPlain(path: string): Promise<LogFile | undefined> {
  const handle = await openIfThere(path)
  if (!handle) return undefined
  const { ino }: BigIntStats = await handle.stat({ bigint: true })
  return {
    inode: ino,
    isCompressed: false,
    writtenAt: async () => (await handle.stat({ bigint: true })).mtimeNs,
    content: async () => handle,
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

async function openCompressed(path: string): Promise<LogFile | undefined> {
  const handle = await openIfThere(path)
  if (!handle) return undefined
  await using opened = new AsyncDisposableStack()
  opened.use(handle)
  const { mtimeNs }: BigIntStats = await handle.stat({ bigint: true })
  const inode = await identityOf(handle)
  const lifetime = opened.move()
  let content: Promise<FileHandle> | undefined
  return {
    inode,
    isCompressed: true,
    writtenAt: async () => mtimeNs,
    content() {
      content ??= inflate(handle, path).then((plain) => lifetime.use(plain))
      return content
    },
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The file that follows this one; when rotation has deleted that one already, or there was none, the oldest there is. */
export async function openNext(path: string, file: LogFile | undefined): Promise<LogFile | undefined> {
  const files = await openLogFiles(path)
  const same = file ? await Promise.all(files.map((one) => isSame(one, file))) : []
  const next = files[same.lastIndexOf(true) + 1]
  await Promise.all(files.filter((one) => one !== next).map((one) => one[Symbol.asyncDispose]()))
  return next
}
