import { randomUUID } from 'node:crypto'
import { closeSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { writeFileAtomic } from '#base/atomic-file.ts'
import { conflict, dataLoss, invalid, systemCode, unavailable } from '#base/errors.ts'
import { JsonReader } from '#oci/json.ts'

const formatVersion = 1

/** The directories of a daemon. All are 0700: images hold setuid files, logs hold secrets. */
export interface DataRoot extends Disposable {
  /** Tells this engine from all others; kept as long as the data root. */
  readonly id: string
  readonly path: string
  readonly execRoot: string
  readonly database: string
  readonly content: string
  readonly snapshots: string
  readonly containers: string
  readonly seccomp: string
  readonly temporary: string
  readonly shims: string
}

export interface LockTaker {
  /** Holds the file's lock until the descriptor is closed; undefined when another process has it. */
  takeLock(path: string): number | undefined
}

/** Makes the directories and takes the lock: one daemon per data root.   @throws `conflict` when another daemon has it, `unavailable` for a newer format */
export async function openDataRoot(path: string, execRoot: string, locks: LockTaker): Promise<DataRoot> {
  for (const root of [path, execRoot]) if (!isAbsolute(root)) throw invalid(`${root} is not an absolute path`)
  await makeDirectory(path)
  const lock = locks.takeLock(join(path, 'lock'))
  if (lock === undefined) {
    throw conflict(
      `another daemon is running with the data root ${path}: stop it, or choose another one with --data-root`,
    )
  }
  try {
    const id = await checkFormat(join(path, 'format.json'))
    const inside = (name: string) => join(path, name)
    const root = {
      id,
      path,
      execRoot,
      database: inside('state.db'),
      content: inside('content'),
      snapshots: inside('snapshots'),
      containers: inside('containers'),
      seccomp: inside('seccomp'),
      temporary: inside('tmp'),
      shims: join(execRoot, 'shims'),
    }
    await makeDirectory(execRoot)
    await Promise.all([root.content, root.containers, root.seccomp, root.temporary, root.shims].map(makeDirectory))
    await emptyDirectory(root.temporary)
    return { ...root, [Symbol.dispose]: () => closeSync(lock) }
  } catch (error) {
    closeSync(lock)
    throw error
  }
}

/** @returns the engine's id */
async function checkFormat(path: string): Promise<string> {
  let content: string
  try {
    content = await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    const id = randomUUID()
    await writeFileAtomic(path, `${JSON.stringify({ format: formatVersion, id })}\n`, { durable: true })
    return id
  }
  const reader = readFormat(content, path)
  const format = reader.field('format').size()
  if (format > formatVersion) {
    throw unavailable(
      `${path} has format ${format}, but this berth knows only ${formatVersion}: use the newer berth again`,
    )
  }
  return reader.field('id').string()
}

function readFormat(content: string, path: string): JsonReader {
  try {
    return JsonReader.parse(content, path)
  } catch (cause) {
    throw dataLoss(`${path} is damaged`, { cause })
  }
}

async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  await chmod(path, 0o700)
}

async function emptyDirectory(path: string): Promise<void> {
  for (const name of await readdir(path)) await rm(join(path, name), { recursive: true, force: true })
}
