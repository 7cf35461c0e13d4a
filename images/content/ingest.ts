import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { syncDirectory } from '#base/atomic-file.ts'
import { type Digest, encodedOf } from '#base/digest.ts'
import { dataLoss, internal, noSpace, systemCode } from '#base/errors.ts'

/** Chunks are gathered to this many bytes: one system call for each small chunk would cost more than the hashing. */
const gatherBytes = 1 << 20

/** A write that is not yet a blob. Bytes are hashed as they come. */
export interface Ingest extends AsyncDisposable {
  /** Bytes taken so far. */
  readonly size: number

  /** Takes bytes; they must not be changed afterwards.   @throws `no-space` */
  write(chunk: Uint8Array): Promise<void>

  /** Forgets everything that was written. */
  restart(): Promise<void>

  /** Makes the bytes a blob that survives a power cut. A blob that is there already stays: committing twice is success.
   *  @param size bytes expected   @throws `data-loss` when digest or size differ; the ingest is then as before */
  commit(expected: Digest, size: number): Promise<void>
}

/** The ingest of a store on a local file system: `temporary` becomes `<blobs>/<hex>`. */
export async function openFileIngest(temporary: string, blobs: string): Promise<Ingest> {
  return new FileIngest(await open(temporary, 'wx', 0o600), temporary, blobs)
}

class FileIngest implements Ingest {
  readonly #file: FileHandle
  readonly #temporary: string
  readonly #blobs: string
  #hash: Hash = createHash('sha256')
  #size = 0
  #gathered: Uint8Array[] = []
  #gatheredBytes = 0
  #writing: Promise<void> = Promise.resolve()
  #state: 'open' | 'committed' | 'closed' = 'open'

  constructor(file: FileHandle, temporary: string, blobs: string) {
    this.#file = file
    this.#temporary = temporary
    this.#blobs = blobs
  }

  get size(): number {
    return this.#size
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

  async restart(): Promise<void> {
    await this.#writing
    this.#gathered = []
    this.#gatheredBytes = 0
    await this.#file.truncate(0)
    this.#hash = createHash('sha256')
    this.#size = 0
  }

  async commit(expected: Digest, size: number): Promise<void> {
    if (this.#state !== 'open') throw internal('the ingest has ended')
    if (this.#size !== size) {
      throw dataLoss(`${expected} has ${this.#size} bytes where ${size} were announced`, { code: 'blob-size' })
    }
    const found = `sha256:${this.#hash.copy().digest('hex')}`
    if (found !== expected) {
      throw dataLoss(`${expected} has other content: its digest is ${found}`, { code: 'blob-digest' })
    }
    await this.#writing
    this.#startWriting()
    await this.#writing
    try {
      await this.#file.sync()
      await rename(this.#temporary, `${this.#blobs}/${encodedOf(expected)}`)
      this.#state = 'committed'
      await syncDirectory(this.#blobs)
    } catch (error) {
      throw toStoreError(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'closed') return
    const committed = this.#state === 'committed'
    this.#state = 'closed'
    await this.#writing.catch(() => undefined)
    await this.#file.close()
    if (!committed) await rm(this.#temporary, { force: true })
  }

  #startWriting(): void {
    const chunks = this.#gathered
    const position = this.#size - this.#gatheredBytes
    this.#gathered = []
    this.#gatheredBytes = 0
    if (chunks.length === 0) return
    this.#writing = writeAll(this.#file, chunks, position)
    // Its failure is told by the next call; until then it must not pass for an unhandled one.
    this.#writing.catch(() => undefined)
  }
}

async function writeAll(file: FileHandle, chunks: readonly Uint8Array[], position: number): Promise<void> {
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
    throw toStoreError(error)
  }
}

function toStoreError(error: unknown): unknown {
  const code = systemCode(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return noSpace('no space left for image content; remove images or containers, or enlarge the disk', {
      cause: error,
    })
  }
  return error
}
