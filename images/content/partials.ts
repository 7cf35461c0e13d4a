import { readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '#base/errors.ts'

/** How long a write that was cut off waits for somebody to take it up. */
const maxAgeMs = 24 * 60 * 60 * 1000
/** All of them together, of the space that is free. */
const maxShareOfFree = 0.25

export interface PartialsSweep {
  /** Holds them by the hex digits of the blob that each shall be; whatever else is in there is rubbish. */
  readonly directory: string
  readonly blobs: string
  /** These are being written. */
  readonly inUse: ReadonlySet<string>
  /** Whether age and size do not matter. */
  readonly keepsNone?: boolean
}

/** Removes the unfinished writes that are too old, too large together (the oldest first), or whose blob is there; and rubbish. */
export async function sweepPartials(
  { directory, blobs, inUse, keepsNone = false }: PartialsSweep,
  now = Date.now(),
): Promise<void> {
  const found: { path: string; size: number; writtenMs: number }[] = []
  for (const name of await readdir(directory)) {
    if (inUse.has(name)) continue
    const path = join(directory, name)
    const known = isHex(name) ? await statIfThere(path) : undefined
    const isDone = known !== undefined && (await statIfThere(join(blobs, name))) !== undefined
    if (known?.isFile() && !isDone && now - known.mtimeMs < maxAgeMs) {
      found.push({ path, size: known.size, writtenMs: known.mtimeMs })
    } else await rm(path, { recursive: true, force: true })
  }
  const { bavail, bsize } = await statfs(directory)
  let room = keepsNone ? -1 : bavail * bsize * maxShareOfFree
  for (const { path, size } of found.toSorted((left, right) => right.writtenMs - left.writtenMs)) {
    room -= size
    if (room < 0) await rm(path, { force: true })
  }
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
