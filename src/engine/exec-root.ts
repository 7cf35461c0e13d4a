import { closeSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { writeFileAtomic } from '#base/atomic-file.ts'
import { conflict, invalid, systemCode } from '#base/errors.ts'
import { isFullId } from '#base/ids.ts'
import { JsonReader } from '#oci/json.ts'
import { readEngineId } from './format.ts'

/** The directory of what runs. Only root may list it, but the socket inside is for a group. */
const mode = 0o711

export interface LockTaker {
  /** Holds the file's lock until the descriptor is closed; undefined when another process has it. */
  takeLock(path: string): number | undefined
}

/** The engine whose containers are below the exec root. */
interface Owner {
  readonly id: string
  readonly dataRoot: string
}

/**
 * Makes the exec root ours. To whom its shims belong is known by the data root alone: without its records they would be ended as orphans.
 * @throws `conflict` when another daemon has it, or when containers of another data root are there
 */
export async function openExecRoot(path: string, owner: Owner, locks: LockTaker): Promise<Disposable> {
  if (!isAbsolute(path)) throw invalid(`${path} is not an absolute path`)
  await mkdir(path, { recursive: true, mode })
  await chmod(path, mode)
  const lock = locks.takeLock(join(path, 'lock'))
  if (lock === undefined) {
    throw conflict(
      `another daemon is running with the exec root ${path}: stop it, or choose another one with --exec-root`,
    )
  }
  try {
    await own(path, owner)
    return { [Symbol.dispose]: () => closeSync(lock) }
  } catch (error) {
    closeSync(lock)
    throw error
  }
}

async function own(path: string, owner: Owner): Promise<void> {
  const shims = join(path, 'shims')
  await mkdir(shims, { mode: 0o700, recursive: true })
  await chmod(shims, 0o700)
  const file = join(path, 'owner.json')
  const before = await readOwner(file)
  if (before?.id === owner.id) return
  const isUsed = (await readdir(shims)).some(isFullId)
  if (before && isUsed && (await readEngineId(before.dataRoot)) === before.id) {
    throw conflict(
      `the exec root ${path} has containers of the data root ${before.dataRoot}: start the daemon with that one and remove them, or choose another --exec-root`,
    )
  }
  await writeFileAtomic(file, `${JSON.stringify(owner)}\n`)
}

async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    const reader = JsonReader.parse(await readFile(file, 'utf8'), file)
    return { id: reader.field('id').string(), dataRoot: reader.field('dataRoot').string() }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
