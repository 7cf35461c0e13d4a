import { createHash, type Hash } from 'node:crypto'
import { constants, type FileHandle, open, rename, rm } from 'node:fs/promises'
import { syncDirectory } from '#base/atomic-file.ts'
import { type Digest, encodedOf, parseDigest } from '#base/digest.ts'
import { dataLoss, internal, noSpace, systemCode } from '#base/errors.ts'
import { type GrowingBlob, Growth } from './growth.ts'
import { linkOwned } from './own-file.ts'

/** Chunks are gathered to this many bytes: one system call for each small chunk would cost more than the hashing. */
const gatherBytes = 1 << 20

/** What is known about a blob. */
export interface BlobInfo {
  readonly digest: Digest
  /** In bytes. */
  readonly size: number
}

/** A write that is not yet a blob. Bytes are hashed as they come. */
export interface Ingest extends AsyncDisposable {
  /** Bytes taken so far. */
  readonly size: number

  /** How many of them an earlier write left. They are as that write and the disk had them: only `commit` tells whether they are right. */
  readonly resumed: number

  /** Takes bytes; they must not be changed afterwards.   @throws `no-space` */
  write(chunk: Uint8Array): Promise<void>

  /** Lets another process write everything through the descriptor, instead of `write`; it tells the digest and size of what it wrote. */
  fill(write: (fd: number) => Promise<BlobInfo>): Promise<BlobInfo>

  /** Takes a whole file over by its inode, in place of what was written; the bytes can be read as a growing blob at once, while `digest`
   *  reads them through the descriptor. Nobody may write to the file any more; its name stays, and is the caller's to remove.
   *  @returns false, with nothing changed, for what has more than one name or is on another file system */
  adopt(path: string, digest: (fd: number) => Promise<BlobInfo>): Promise<boolean>

  /** The digest of what was written so far. */
  digest(): Digest

  /** Forgets everything that was written. */
  restart(): Promise<void>

  /** Makes the bytes a blob that survives a power cut. A blob that is there already stays: committing twice is success.
   *  @param size bytes expected   @throws `data-loss` when digest or size differ; the ingest is then as before */
  commit(expected: Digest, size: number): Promise<void>
}

export interface IngestPlace {
  /** The file to write; `<blobs>/<hex>` in the end. */
  readonly path: string
  readonly blobs: string
  /** Told of a file that could not be deleted. */
  readonly onLeft: (path: string) => void
}

/** What is shorter is fetched again faster than it is looked for. */
const minKeptBytes = 1 << 20

/** The ingest of a store on a local file system. */
export async function openFileIngest(place: IngestPlace): Promise<Ingest> {
  return new FileIngest(await open(place.path, 'wx', 0o600), place)
}

/** As `openFileIngest`, but takes up what is there (at most `size` bytes, else nothing of it) and stays when it is not committed.
 *  @param onClose told at the end, whether the file stayed */
export async function openKeptIngest(
  place: IngestPlace,
  size: number,
  onClose: (stays: boolean) => void,
): Promise<KeptIngest> {
  await using undo = new AsyncDisposableStack()
  const file = undo.use(await open(place.path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600))
  const ingest = new FileIngest(file, place, onClose)
  if ((await file.stat()).size > size) await file.truncate(0)
  await ingest.takeUp()
  undo.move()
  return ingest
}

/** An ingest that others may read while it is written. */
export interface KeptIngest extends Ingest {
  readonly growing: GrowingBlob
}

class FileIngest implements KeptIngest {
  #file: FileHandle
  readonly #place: IngestPlace
  readonly #onClose: ((stays: boolean) => void) | undefined
  #hash: Hash = createHash('sha256')
  #size = 0
  #resumed = 0
  #filled: Digest | undefined
  #isAdopted = false
  /** The kernel takes pages that it could not write for written: what it still has of them is on no disk. */
  #isUnwritten = false
  #gathered: Uint8Array[] = []
  #gatheredBytes = 0
  #writing: Promise<void> = Promise.resolve()
  #growth = new Growth()
  #state: 'open' | 'committed' | 'closed' = 'open'

  constructor(file: FileHandle, place: IngestPlace, onClose?: (stays: boolean) => void) {
    this.#file = file
    this.#place = place
    this.#onClose = onClose
  }

  get size(): number {
    return this.#size
  }

  get resumed(): number {
    return this.#resumed
  }

  get growing(): GrowingBlob {
    const growth = this.#growth
    return {
      // By descriptor: the file is about to change its name.
      open: () => open(`/proc/self/fd/${this.#file.fd}`, 'r'),
      onGrowth: (listener) => growth.onGrowth(listener),
      written: growth.written,
    }
  }

  /** Hashes what the file holds, piece by piece: the event loop is free between two of them. */
  async takeUp(): Promise<void> {
    const buffer = Buffer.allocUnsafe(gatherBytes)
    for (;;) {
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, this.#size)
      if (bytesRead === 0) break
      this.#hash.update(buffer.subarray(0, bytesRead))
      this.#size += bytesRead
    }
    this.#resumed = this.#size
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#state !== 'open') throw internal('the ingest has ended')
    this.#hash.update(chunk)
    this.#size += chunk.byteLength
    this.#gathered.push(chunk)
    this.#gatheredBytes += chunk.byteLength
    if (this.#gatheredBytes < gatherBytes) return
    // One write runs while the next chunks are hashed.
    await this.#writing
    this.#startWriting()
  }

  async fill(write: (fd: number) => Promise<BlobInfo>): Promise<BlobInfo> {
    if (this.#state !== 'open' || this.#size > 0) throw internal('the ingest has been written to')
    const { digest, size } = await write(this.#file.fd)
    this.#filled = digest
    this.#size = size
    return { digest, size }
  }

  async adopt(path: string, digest: (fd: number) => Promise<BlobInfo>): Promise<boolean> {
    if (this.#state !== 'open') throw internal('the ingest has ended')
    await this.#writing
    const file = await linkOwned(path, this.#place.path).catch((error: unknown) => {
      throw toStoreError(error, path)
    })
    if (!file) return false
    await this.#begin(file)
    this.#isAdopted = true
    this.#size = (await file.stat()).size
    this.#growth.end()
    const found = await digest(file.fd)
    this.#filled = found.digest
    this.#size = found.size
    return true
  }

  digest(): Digest {
    return this.#filled ?? parseDigest(`sha256:${this.#hash.copy().digest('hex')}`)
  }

  async restart(): Promise<void> {
    await this.#writing
    if (this.#isAdopted) {
      // Its bytes are still the other name's.
      await rm(this.#place.path, { force: true })
      await this.#begin(await open(this.#place.path, 'wx', 0o600))
    } else {
      await this.#file.truncate(0)
      await this.#begin(this.#file)
    }
  }

  /** Goes on with another file, or the same one emptied, and with nothing of what was known. */
  async #begin(file: FileHandle): Promise<void> {
    const before = this.#file
    this.#file = file
    this.#gathered = []
    this.#gatheredBytes = 0
    this.#growth.giveUp()
    this.#growth = new Growth()
    this.#hash = createHash('sha256')
    this.#filled = undefined
    this.#isAdopted = false
    this.#size = 0
    this.#resumed = 0
    if (before !== file) await before.close()
  }

  async commit(expected: Digest, size: number): Promise<void> {
    if (this.#state !== 'open') throw internal('the ingest has ended')
    if (this.#size !== size) {
      throw dataLoss(`${expected} has ${this.#size} bytes where ${size} were announced`, { code: 'blob-size' })
    }
    const found = this.digest()
    if (found !== expected) {
      throw dataLoss(`${expected} has other content: its digest is ${found}`, { code: 'blob-digest' })
    }
    await this.#writing
    this.#startWriting()
    await this.#writing
    this.#growth.end()
    try {
      await this.#file.sync().catch((error: unknown) => {
        this.#isUnwritten = true
        throw error
      })
      await rename(this.#place.path, `${this.#place.blobs}/${encodedOf(expected)}`)
      this.#state = 'committed'
      await syncDirectory(this.#place.blobs)
    } catch (error) {
      throw toStoreError(error, this.#place.path)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'closed') return
    const committed = this.#state === 'committed'
    this.#state = 'closed'
    this.#growth.giveUp()
    const isWorthKeeping = !this.#isAdopted && !this.#isUnwritten && this.#size >= minKeptBytes
    const stays = !committed && this.#onClose !== undefined && isWorthKeeping && (await this.#writeOut())
    await this.#writing.catch(() => undefined)
    await this.#file.close()
    if (!committed && !stays)
      await rm(this.#place.path, { force: true }).catch(() => this.#place.onLeft(this.#place.path))
    this.#onClose?.(stays)
  }

  /** False when the disk did not take it: what is short of space keeps nothing for later. */
  async #writeOut(): Promise<boolean> {
    try {
      await this.#writing
      this.#startWriting()
      await this.#writing
      return true
    } catch {
      return false
    }
  }

  #startWriting(): void {
    const chunks = this.#gathered
    const position = this.#size - this.#gatheredBytes
    this.#gathered = []
    this.#gatheredBytes = 0
    if (chunks.length === 0) return
    const growth = this.#growth
    this.#writing = writeAll(this.#file, this.#place.path, { chunks, position }).then(() => growth.grew())
    // Its failure is told by the next call; until then it must not pass for an unhandled one.
    this.#writing.catch(() => undefined)
  }
}

async function writeAll(
  file: FileHandle,
  path: string,
  { chunks, position }: { chunks: readonly Uint8Array[]; position: number },
): Promise<void> {
  try {
    const total = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
    const { bytesWritten } = await file.writev(chunks, position)
    if (bytesWritten === total) return
    // Short writes happen on a filling disk; one plain write of the rest tells the reason.
    const rest = Buffer.concat(chunks).subarray(bytesWritten)
    let done = 0
    while (done < rest.length) {
      done += (await file.write(rest, done, rest.length - done, position + bytesWritten + done)).bytesWritten
    }
  } catch (error) {
    throw toStoreError(error, path)
  }
}

/** The error of a system call does not name the file when that is open already. */
function toStoreError(error: unknown, path: string): unknown {
  const code = systemCode(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return noSpace('no space left for image content', { cause: error })
  if (error instanceof Error && 'syscall' in error && !('path' in error)) return Object.assign(error, { path })
  return error
}
