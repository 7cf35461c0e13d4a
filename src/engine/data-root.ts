import { closeSync } from 'node:fs'
import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { conflict, dataLoss, invalid, systemCode } from '#base/errors.ts'
import { type LockTaker, openExecRoot } from './exec-root.ts'
import { checkFormat } from './format.ts'

/** The directories of a daemon, 0700: images hold setuid files, logs hold secrets. */
export interface DataRoot extends Disposable {
  /** Tells this engine from all others; kept as long as the data root. */
  readonly id: string
  readonly path: string
  readonly execRoot: string
  readonly database: string
  readonly content: string
  readonly snapshots: string
  /** Made when the first volume is. */
  readonly volumes: string
  readonly containers: string
  readonly temporary: string
  readonly shims: string
  /** Made when a repair needs it. */
  readonly quarantine: string
}

/** What earlier releases kept and nothing reads. */
const formerDirectories = ['seccomp']

/** Makes the directories and takes the locks: one daemon per data root and exec root.   @throws `conflict` when another daemon has one, `unavailable` for a newer format */
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
      volumes: inside('volumes'),
      containers: inside('containers'),
      temporary: inside('tmp'),
      quarantine: inside('quarantine'),
      shims: join(execRoot, 'shims'),
    }
    await refuseLostDatabase(root)
    await Promise.all([root.content, root.containers, root.temporary].map(makeDirectory))
    await emptyDirectory(root.temporary)
    for (const name of formerDirectories) await rm(inside(name), { recursive: true, force: true })
    for (const directory of [path, root.content]) await removeUnfinished(directory)
    const running = await openExecRoot(execRoot, { id, dataRoot: path }, locks)
    return {
      ...root,
      [Symbol.dispose]: () => {
        running[Symbol.dispose]()
        closeSync(lock)
      },
    }
  } catch (error) {
    closeSync(lock)
    throw error
  }
}

/** Beside an empty database all that is there would count as orphaned, and be deleted. */
async function refuseLostDatabase({
  path,
  database,
  containers,
  snapshots,
}: Pick<DataRoot, 'path' | 'database' | 'containers' | 'snapshots'>): Promise<void> {
  const found = await ifThere(stat(database))
  if (found && found.size > 0) return
  for (const directory of [containers, snapshots]) {
    if (((await ifThere(readdir(directory))) ?? []).length === 0) continue
    throw dataLoss(
      `${database} is missing or empty, but ${directory} is not: bring the database back, or remove all of ${path}`,
    )
  }
}

/** What writeFileAtomic had not put in place when a daemon was killed. */
async function removeUnfinished(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (/^\..+\.[0-9a-f]{12}$/.test(name)) await rm(join(directory, name), { force: true })
  }
}

async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  await chmod(path, 0o700)
}

async function emptyDirectory(path: string): Promise<void> {
  for (const name of await readdir(path)) await rm(join(path, name), { recursive: true, force: true })
}
