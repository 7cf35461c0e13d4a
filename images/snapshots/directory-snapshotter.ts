import { randomInt } from 'node:crypto'
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { alreadyExists, conflict, isKind, notFound, systemCode, unavailable } from '#base/errors.ts'
import { RetryLater } from '#base/retry-later.ts'
import type { DirectoryQuotas } from '#runtime/quota.ts'
import { DurabilityKeeper } from './durability.ts'
import { recordOf, verifyTree } from './record.ts'
import { RecordKeeper } from './record-keeper.ts'
import { isOfBoot, type SnapshotStore, type StoredSnapshot } from './snapshot-store.ts'
import type {
  PrepareOptions,
  SnapshotInfo,
  SnapshotMounts,
  Snapshotter,
  SnapshotUsage,
  SnapshotVerification,
} from './snapshotter.ts'
import type { SnapshotDirectories, TreeFormat } from './tree-format.ts'
import { runTreeJob } from './tree-process.ts'
import { measureContent, measureTree } from './usage.ts'

export interface SnapshotterParts {
  /** `<data-root>/snapshots` */
  readonly root: string
  readonly store: SnapshotStore
  readonly format: TreeFormat
  /** Path of berth-unpack. */
  readonly executable: string
  /** Identifies this boot of the machine. */
  readonly bootId: string
  /** How long commits are gathered before they are written out. */
  readonly gatherMs?: number
  /** Used where the filesystem has them. */
  readonly quotas?: DirectoryQuotas | undefined
  /** Told of failures in the background. */
  readonly onError: (error: unknown) => void
}

/** More than xfs wants to see free for a few directories. */
const roomToMountBytes = 1 << 20

/**
 * Snapshots as numbered directories with a row each. The directory comes before the row and goes after it, so that a crash leaves at most a
 * directory without a row; `collect` deletes those.
 */
export class DirectorySnapshotter implements Snapshotter {
  readonly driver: TreeFormat['driver']
  readonly canLimit: boolean
  readonly #parts: SnapshotterParts
  readonly #store: SnapshotStore
  readonly #durability: DurabilityKeeper
  readonly #records: RecordKeeper
  readonly #leftovers = new RetryLater()
  #lastId: number

  private constructor(parts: SnapshotterParts, lastId: number) {
    this.driver = parts.format.driver
    this.canLimit = parts.quotas !== undefined
    this.#parts = parts
    this.#store = parts.store
    this.#lastId = lastId
    const { executable, onError } = parts
    this.#records = new RecordKeeper({
      executable,
      onError,
      directoriesOf: (id) => this.#directories(id),
      isKnown: (id) => parts.store.chain(id).length > 0,
    })
    this.#durability = new DurabilityKeeper({ ...parts, onDurable: (ids) => this.#records.add(ids) })
  }

  /** Opens the directory, made if it is not there, and deletes what a killed daemon left half done. One process at a time. */
  static async open(parts: SnapshotterParts): Promise<DirectorySnapshotter> {
    const made = await mkdir(parts.root, { recursive: true, mode: 0o700 })
    if (made !== undefined) await runTreeJob(parts.executable, '--spread', parts.root)
    const rows = parts.store.list()
    const other = rows.find((row) => row.driver !== parts.format.driver)
    if (other) {
      throw unavailable(
        `the snapshots in ${parts.root} were made by ${other.driver}, this host can only use ${parts.format.driver}: use another data root`,
        { code: 'snapshot-driver' },
      )
    }
    const numbers = (await readdir(parts.root)).filter((name) => /^[1-9][0-9]{0,14}$/.test(name)).map(Number)
    // ext4 chooses the place on disk by the name: data roots that follow each other on one disk should not meet (see --spread).
    const first = randomInt(10_000)
    const lastId = rows.length + numbers.length === 0 ? first : Math.max(...numbers, ...rows.map(({ id }) => id))
    const quotas = (await parts.quotas?.isEnforced(parts.root)) ? parts.quotas : undefined
    const snapshotter = new DirectorySnapshotter({ ...parts, quotas }, lastId)
    await snapshotter.#collect(rows, numbers)
    snapshotter.#durability.schedule()
    const durable = parts.store.list().filter((row) => row.kind === 'committed' && row.durable)
    snapshotter.#records.add(durable.map(({ id }) => id))
    return snapshotter
  }

  async prepare(key: string, parent: string | undefined, options: PrepareOptions = {}): Promise<SnapshotMounts> {
    return this.#create({ key, kind: 'active', parentName: parent }, options)
  }

  async view(key: string, parent: string, signal?: AbortSignal): Promise<SnapshotMounts> {
    return this.#create({ key, kind: 'view', parentName: parent }, { signal })
  }

  mounts(key: string): SnapshotMounts {
    const snapshot = this.#get(key)
    if (snapshot.kind === 'committed') throw conflict(`snapshot ${key} is committed: prepare or view one on top of it`)
    return this.#mountsOf(snapshot)
  }

  async roomToMount(key: string): Promise<AsyncDisposable> {
    const { own } = this.#directories(this.#get(key).id)
    const { quotas, onError } = this.#parts
    await quotas?.widen(own, roomToMountBytes)
    // What has been mounted is in use, whatever becomes of the limit: the next time sets it again.
    return { [Symbol.asyncDispose]: async () => quotas?.widen(own, 0).catch(onError) }
  }

  directories(keyOrName: string): readonly string[] {
    const { id, kind, parentId } = this.#get(keyOrName)
    const below = this.#chainOf(parentId).map(({ files }) => files)
    return kind === 'view' ? below : [this.#directories(id).files, ...below]
  }

  describe(keyOrName: string): Readonly<Record<string, string>> {
    const { id, parentId } = this.#get(keyOrName)
    return this.#parts.format.describe(this.#directories(id), this.#chainOf(parentId))
  }

  recordFile(key: string): string | undefined {
    const { id, kind, parentId } = this.#get(key)
    if (kind !== 'active') throw conflict(`snapshot ${key} is ${kind}: nothing is written to it`)
    const isAllNew = parentId === undefined || this.driver === 'overlay2'
    return isAllNew ? recordOf(this.#directories(id)) : undefined
  }

  async commit(key: string, name: string, usage: SnapshotUsage): Promise<void> {
    const snapshot = this.#get(key)
    if (snapshot.kind !== 'active')
      throw conflict(`snapshot ${key} is ${snapshot.kind}, only an active one can be committed`)
    if (this.#store.find(name)) throw alreadyExists(`snapshot ${name} exists already`)
    this.#store.commit(snapshot.id, name, usage, this.#parts.bootId)
    this.#durability.schedule()
  }

  async remove(keyOrName: string): Promise<void> {
    const snapshot = this.#store.find(keyOrName)
    if (!snapshot) return
    const child = this.#store.findChild(snapshot.id)
    if (child !== undefined) throw conflict(`snapshot ${keyOrName} cannot be removed: ${child} stands on it`)
    await this.#deleteFiles(snapshot.id, this.#deleteRow(snapshot.id))
  }

  async discard(key: string): Promise<void> {
    try {
      await this.remove(key)
    } catch (error) {
      this.#parts.onError(error)
      this.#leftovers.add(key, () => this.remove(key))
    }
  }

  removeUnused(names: readonly string[]): { readonly removed: readonly string[]; readonly freed: Promise<void> } {
    const removed: { readonly key: string; readonly id: number; readonly isDeleted: boolean }[] = []
    const free = async (failure?: { readonly error: unknown }) => {
      for (const { id, isDeleted } of removed) await this.#deleteFiles(id, isDeleted).catch(this.#parts.onError)
      if (failure) throw failure.error
    }
    const namesOf = () => removed.map(({ key }) => key)
    try {
      for (const key of names) {
        const snapshot = this.#store.find(key)
        if (snapshot?.kind !== 'committed' || this.#store.findChild(snapshot.id) !== undefined) continue
        removed.push({ key, id: snapshot.id, isDeleted: this.#deleteRow(snapshot.id) })
      }
      return { removed: namesOf(), freed: free() }
    } catch (error) {
      // What has no row any more must go nevertheless.
      return { removed: namesOf(), freed: free({ error }) }
    }
  }

  find(keyOrName: string): SnapshotInfo | undefined {
    return this.#store.find(keyOrName)
  }

  list(): readonly SnapshotInfo[] {
    return this.#store.list()
  }

  async usage(keyOrName: string, signal?: AbortSignal): Promise<SnapshotUsage> {
    const snapshot = this.#get(keyOrName)
    if (snapshot.usage) return snapshot.usage
    if (snapshot.kind === 'view') return { bytes: 0, inodes: 0 }
    return measureTree(this.#parts.executable, this.#directories(snapshot.id).files, signal)
  }

  async contentBytes(key: string, signal?: AbortSignal): Promise<number> {
    return measureContent(this.#parts.executable, this.#directories(this.#get(key).id).files, signal)
  }

  async verify(keyOrName: string, signal?: AbortSignal): Promise<SnapshotVerification> {
    await this.#records.settled()
    const snapshot = this.#get(keyOrName)
    return verifyTree(this.#parts.executable, this.#directories(snapshot.id), signal)
  }

  async replace(name: string, key: string, aside?: string): Promise<void> {
    const target = this.#committed(name)
    const fresh = this.#get(key)
    if (!target || fresh.kind !== 'active') throw conflict(`snapshot ${key} cannot take the place of ${name}`)
    const [old, made] = [this.#directories(target.id), this.#directories(fresh.id)]
    const moved = aside ?? join(made.own, 'replaced')
    await mkdir(old.own, { recursive: true, mode: 0o700 })
    await this.#records.drop(target.id)
    // Gone before the files: a record must not outlive what it describes.
    await rm(recordOf(old), { force: true })
    await ifThere(rename(old.files, moved))
    await rename(made.files, old.files)
    await ifThere(rename(recordOf(made), recordOf(old)))
    this.#store.markUsable(target.id, this.#parts.bootId)
    this.#durability.schedule()
    await this.remove(key)
  }

  isDoubtful(name: string): boolean {
    const snapshot = this.#store.find(name)
    return snapshot?.kind === 'committed' && !snapshot.durable && !isOfBoot(snapshot, this.#parts.bootId)
  }

  async flush(signal?: AbortSignal): Promise<void> {
    await this.#durability.flush(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leftovers[Symbol.dispose]()
    await this.#durability[Symbol.asyncDispose]()
    await this.#records[Symbol.asyncDispose]()
  }

  async #create(
    { key, kind, parentName }: { key: string; kind: 'active' | 'view'; parentName: string | undefined },
    { limitBytes, signal }: PrepareOptions,
  ): Promise<SnapshotMounts> {
    this.#checkFree(key)
    const parent = this.#committed(parentName)
    this.#lastId += 1
    const id = this.#lastId
    const own = this.#directories(id)
    try {
      await mkdir(own.own, { mode: 0o700 })
      if (limitBytes !== undefined) await this.#limit(own, id, limitBytes)
      if (kind === 'active') await this.#parts.format.createActive(own, this.#chainOf(parent?.id), signal)
      else await this.#parts.format.createView(own)
      // The world may have changed while we waited; from here to the row nothing waits.
      this.#checkFree(key)
      const parentId = this.#committed(parentName)?.id
      this.#store.insert({ id, key, kind, parentId, driver: this.driver, createdAt: new Date() }, this.#parts.bootId)
    } catch (error) {
      await this.#deleteFiles(id, true).catch(this.#parts.onError)
      throw error
    }
    return this.#mountsOf({ id, kind, parentId: parent?.id })
  }

  async #limit({ own }: SnapshotDirectories, wanted: number, bytes: number): Promise<void> {
    const { quotas, root } = this.#parts
    if (!quotas) throw unavailable(`the filesystem of ${root} has no project quotas`)
    await quotas.limit(own, { bytes, wanted })
  }

  #get(key: string): StoredSnapshot {
    const snapshot = this.#store.find(key)
    if (!snapshot) throw notFound(`no snapshot ${key}`)
    return snapshot
  }

  #checkFree(key: string): void {
    if (this.#store.find(key)) throw alreadyExists(`snapshot ${key} exists already`)
  }

  #committed(name: string | undefined): StoredSnapshot | undefined {
    if (name === undefined) return undefined
    const parent = this.#get(name)
    if (parent.kind !== 'committed') throw notFound(`no committed snapshot ${name}: it is ${parent.kind}`)
    return parent
  }

  #mountsOf({ id, kind, parentId }: Pick<StoredSnapshot, 'id' | 'kind' | 'parentId'>): SnapshotMounts {
    return this.#parts.format.mounts(this.#directories(id), this.#chainOf(parentId), kind === 'view')
  }

  #chainOf(id: number | undefined): readonly SnapshotDirectories[] {
    return id === undefined ? [] : this.#store.chain(id).map((ancestor) => this.#directories(ancestor))
  }

  #directories(id: number): SnapshotDirectories {
    const own = join(this.#parts.root, `${id}`)
    return { own, files: join(own, 'fs'), work: join(own, 'work'), merged: join(own, 'merged') }
  }

  /** Rows of unpackings that nobody will finish, layers that a crash of the machine may have damaged, and directories that no row names. */
  async #collect(rows: readonly StoredSnapshot[], numbers: readonly number[]): Promise<void> {
    // What cannot be deleted is told of, and tried again at the next start: it must not keep the rest from being served.
    const { onError } = this.#parts
    const directories = new Set(numbers)
    for (const row of rows.toReversed()) {
      const { id, key, kind, durable } = row
      const unfinished = kind === 'active' && key.startsWith('unpack-')
      // A power cut may lose the end of a row whose directory is gone already.
      const isLost = !directories.has(id)
      const doubtful = kind === 'committed' && (isLost || (!durable && !isOfBoot(row, this.#parts.bootId)))
      // One below a container stays: deleting it would take the container's own files too.
      if (unfinished || (doubtful && this.#store.findChild(id) === undefined)) await this.remove(key).catch(onError)
      // Its record may be as damaged as its files.
      else if (doubtful) await rm(recordOf(this.#directories(id)), { force: true }).catch(onError)
    }
    const known = new Set(rows.map(({ id }) => id))
    for (const id of numbers) {
      if (!known.has(id)) await this.#deleteDirectory(id).catch(onError)
    }
  }

  /** @returns false on a full disk, where no row can be changed before the files are gone */
  #deleteRow(id: number): boolean {
    try {
      this.#store.delete(id)
      return true
    } catch (error) {
      if (isKind(error, 'no-space')) return false
      throw error
    }
  }

  async #deleteFiles(id: number, isRowDeleted: boolean): Promise<void> {
    const work = async () => {
      await this.#deleteDirectory(id)
      if (!isRowDeleted) this.#store.delete(id)
    }
    try {
      await work()
    } catch (error) {
      this.#leftovers.add(`files of ${id}`, work)
      throw error
    }
  }

  async #deleteDirectory(id: number): Promise<void> {
    await this.#records.drop(id)
    const { own, files, work, merged } = this.#directories(id)
    // First, for the directory is all that tells which project the limit is of.
    await this.#parts.quotas?.lift(own)
    try {
      // Most containers write nothing: five calls instead of a process.
      await rm(recordOf({ own }), { force: true })
      for (const path of [merged, join(work, 'work'), work, files, own]) await removeEmpty(path)
    } catch (error) {
      if (systemCode(error) !== 'ENOTEMPTY') throw error
      await runTreeJob(this.#parts.executable, '--remove', own)
      await removeEmpty(own)
    }
  }
}

async function removeEmpty(path: string): Promise<void> {
  await ifThere(rmdir(path))
}

async function ifThere(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}
