import { randomUUID } from 'node:crypto'
import { renameSync } from 'node:fs'
import { readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '#base/errors.ts'

/** How long a write that was cut off waits for somebody to take it up. */
const maxAgeMs = 24 * 60 * 60 * 1000
/** All of them together, of the space that is free. */
const maxShareOfFree = 0.25

export interface PartialsSweep {
  /** Holds them by the hex digits of the blob that each shall be. */
  readonly directory: string
  readonly blobs: string
  /** Whether it is being written; asked again before anything is removed. */
  readonly isInUse: (name: string) => boolean
  /** Whether age and size do not matter. */
  readonly keepsNone?: boolean
}

/** Removes the unfinished writes that are too old, too large together (the oldest first), or whose blob is there. Files with other names are
 *  not looked at. */
export async function sweepPartials(sweep: PartialsSweep, now = Date.now()): Promise<void> {
  const { directory, blobs, isInUse, keepsNone = false } = sweep
  const found: { name: string; size: number; writtenMs: number }[] = []
  for (const name of (await readdir(directory)).filter((one) => isHex(one) && !isInUse(one))) {
    const known = await statIfThere(join(directory, name))
    const isDone = (await statIfThere(join(blobs, name))) !== undefined
    const isFresh = known !== undefined && now - known.mtimeMs < maxAgeMs
    if (!isDone && isFresh) found.push({ name, size: known.size, writtenMs: known.mtimeMs })
    else await discard(sweep, name)
  }
  const { bavail, bsize } = await statfs(directory)
  let room = keepsNone ? -1 : bavail * bsize * maxShareOfFree
  for (const { name, size } of found.toSorted((left, right) => right.writtenMs - left.writtenMs)) {
    room -= size
    if (room < 0) await discard(sweep, name)
  }
}

/** Removes what writes without a name and deletions left: only when nobody writes.   @param directory of the ingests */
export async function removeRubbish(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!isHex(name)) await rm(join(directory, name), { recursive: true, force: true })
  }
}

/** Out of the way in one turn of the event loop, so that nobody opens what is about to go. */
async function discard({ directory, isInUse }: PartialsSweep, name: string): Promise<void> {
  if (isInUse(name)) return
  const doomed = join(directory, randomUUID())
  try {
    renameSync(join(directory, name), doomed)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  await rm(doomed, { recursive: true, force: true })
}

const isHex = (name: string): boolean => /^[0-9a-f]{64}$/.test(name)

async function statIfThere(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
