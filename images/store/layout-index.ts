import { readFile } from 'node:fs/promises'
import { writeFileAtomic } from '#base/atomic-file.ts'
import { systemCode } from '#base/errors.ts'
import { parseReference } from '#oci/reference.ts'
import { formatLayoutIndex } from '../archive/documents.ts'
import type { ImageStore } from './image-store.ts'

/** Changes that come together are written together. */
const settleMs = 200

/**
 * Keeps `index.json` of the content store, so that other OCI tools find the images there. It follows the database, some moments later: what a
 * killed daemon did not write, the next one does.
 */
export class LayoutIndex implements AsyncDisposable {
  readonly #path: string
  readonly #store: Pick<ImageStore, 'list' | 'references'>
  readonly #onError: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  /** @param onError told when the file cannot be written; the images are none the worse */
  constructor(path: string, store: Pick<ImageStore, 'list' | 'references'>, onError: (error: unknown) => void) {
    this.#path = path
    this.#store = store
    this.#onError = onError
  }

  /** The images may have changed. */
  touch(): void {
    this.#timer ??= setTimeout(() => void this.flush(), settleMs).unref()
  }

  /** Resolves when the file says what the database does. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing = this.#writing.then(() => this.#write()).catch(this.#onError)
    await this.#writing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush()
  }

  async #write(): Promise<void> {
    const text = formatLayoutIndex(this.#entries())
    if (text !== (await readIfThere(this.#path))) await writeFileAtomic(this.#path, text)
  }

  #entries() {
    const tags = this.#store.references().filter(({ kind }) => kind === 'tag')
    return this.#store.list().map(({ id, root, manifest, standIn }) => ({
      manifest: standIn ?? manifest,
      tags: tags.filter(({ key }) => key.id === id && key.root === root.digest).map(({ name }) => parseReference(name)),
    }))
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
