import { randomUUID } from 'node:crypto'
import { existsSync, renameSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory, writeFileAtomic } from '#base/atomic-file.ts'
import { type Digest, encodedOf, isDigest } from '#base/digest.ts'
import { notFound, systemCode, tooLarge } from '#base/errors.ts'
import { RetryLater } from '#base/retry-later.ts'
import type { BlobInfo, ContentStore, GrowingBlob } from './content-store.ts'
import { type Ingest, type IngestPlace, type KeptIngest, openFileIngest, openKeptIngest } from './ingest.ts'
import { type PartialsSweep, removeRubbish, sweepPartials } from './partials.ts'

/**
 * Opens the store below `root`, which other OCI tools can read as an image layout:
 * `oci-layout`, `blobs/sha256/<hex>`, and `ingest/` for what is being written or deleted. What a killed daemon left there is
 * collected, save downloads that can be taken up; so only one process may have the store open (the data root's lock sees to it).
 */
export async function openLocalStore(root: string): Promise<ContentStore> {
  const blobs = join(root, 'blobs', 'sha256')
  const ingest = join(root, 'ingest')
  await mkdir(ingest, { recursive: true, mode: 0o700 })
  await mkdir(blobs, { recursive: true, mode: 0o700 })
  await removeRubbish(ingest)
  await sweepPartials({ directory: ingest, blobs, isInUse: () => false })
  // Written once only: a daemon must be able to start on a full disk, to delete there.
  if (!existsSync(join(root, 'oci-layout'))) {
    await writeFileAtomic(join(root, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  }
  await syncDirectory(root)
  return new LocalStore(blobs, ingest)
}

class LocalStore implements ContentStore {
  readonly #blobs: string
  readonly #ingest: string
  /** Kept ingests, by the hex digits of their blobs: a file has one writer. Undefined while it is being opened. */
  readonly #doomed = new Set<string>()
  readonly #retries = new RetryLater()
  readonly #kept = new Map<string, KeptIngest | undefined>()

  constructor(blobs: string, ingest: string) {
    this.#blobs = blobs
    this.#ingest = ingest
  }

  async openIngest(blob?: BlobInfo): Promise<Ingest> {
    const name = blob && encodedOf(blob.digest)
    if (name === undefined || this.#kept.has(name)) return openFileIngest(this.#placeOf(randomUUID()))
    this.#kept.set(name, undefined)
    try {
      const ingest = await openKeptIngest(this.#placeOf(name), blob?.size ?? 0, (stays) => this.#letGo(name, stays))
      this.#kept.set(name, ingest)
      return ingest
    } catch (error) {
      this.#kept.delete(name)
      throw error
    }
  }

  growing(digest: Digest): GrowingBlob | undefined {
    return this.#kept.get(encodedOf(digest))?.growing
  }

  async find(digest: Digest): Promise<BlobInfo | undefined> {
    try {
      const { size } = await stat(this.#pathOf(digest))
      return { digest, size }
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    }
  }

  async open(digest: Digest): Promise<FileHandle> {
    try {
      return await open(this.#pathOf(digest), 'r')
    } catch (error) {
      if (systemCode(error) === 'ENOENT') throw notFound(`content ${digest} is not in the store`, { cause: error })
      throw error
    }
  }

  async read(digest: Digest, limit: number): Promise<Buffer> {
    await using file = await this.open(digest)
    const { size } = await file.stat()
    if (size > limit) throw tooLarge(`content ${digest} has ${size} bytes; at most ${limit} are read`)
    return await file.readFile()
  }

  async list(): Promise<readonly Digest[]> {
    const names = await readdir(this.#blobs)
    return names.map((name) => `sha256:${name}`).filter(isDigest)
  }

  async moveOut(digest: Digest, path: string): Promise<void> {
    moveIfThere(this.#pathOf(digest), path)
  }

  async remove(digests: readonly Digest[]): Promise<void> {
    for (const digest of digests) {
      const path = join(this.#ingest, randomUUID())
      // Synchronous, so that nobody finds the blob between the decision to remove it and its end; freeing the space is the slow part.
      if (moveIfThere(this.#pathOf(digest), path)) this.#doomed.add(path)
    }
    await this.#deleteDoomed()
  }

  /** What cannot be deleted stays for the next call. */
  async #deleteDoomed(): Promise<void> {
    for (const path of this.#doomed) {
      await rm(path, { force: true })
      this.#doomed.delete(path)
    }
  }

  async removePartials(): Promise<void> {
    await sweepPartials({ ...this.#partials, keepsNone: true })
  }

  #letGo(name: string, stays: boolean): void {
    this.#kept.delete(name)
    if (!stays) return
    // It only makes room: a failure is tried again by the next one and by the next start.
    sweepPartials(this.#partials).catch(() => undefined)
  }

  get #partials(): PartialsSweep {
    return { directory: this.#ingest, blobs: this.#blobs, isInUse: (name) => this.#kept.has(name) }
  }

  #placeOf(name: string): IngestPlace {
    const onLeft = (path: string) => {
      this.#doomed.add(path)
      this.#retries.add('doomed', () => this.#deleteDoomed())
    }
    return { path: join(this.#ingest, name), blobs: this.#blobs, onLeft }
  }

  #pathOf(digest: Digest): string {
    return join(this.#blobs, encodedOf(digest))
  }
}

function moveIfThere(from: string, to: string): boolean {
  try {
    renameSync(from, to)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}
