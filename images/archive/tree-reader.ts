import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { invalid, notFound, systemCode, tooLarge } from '#base/errors.ts'

const maxLinks = 40
/** As the kernel has it (PATH_MAX). */
const maxPathLength = 4095

/**
 * Files of a tree that an archive was unpacked into. The tree is hostile but at rest: nobody writes there any more. Symlinks, which old
 * archives have between layers, are followed inside of it.
 */
export class TreeReader {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  /** A whole small file.   @throws `not-found`, `invalid` for what is no file, `too-large` */
  async read(path: string, limit: number): Promise<Buffer> {
    await using file = await this.open(path)
    const { size } = await file.stat()
    if (size > limit) throw tooLarge(`${quote(path)} in the archive has ${size} bytes; at most ${limit} are read`)
    return await file.readFile()
  }

  /** As `read`; undefined where there is nothing. */
  async readIfThere(path: string, limit: number): Promise<Buffer | undefined> {
    return (await this.has(path)) ? await this.read(path, limit) : undefined
  }

  async has(path: string): Promise<boolean> {
    return (await this.#resolve(path)) !== undefined
  }

  /** The caller closes it.   @throws `not-found`, `invalid` for what is no file */
  async open(path: string): Promise<FileHandle> {
    const found = await this.find(path)
    return await open(found.path, constants.O_RDONLY | constants.O_NOFOLLOW)
  }

  /** Where it is on disk, behind all links, and its bytes.   @throws `not-found`, `invalid` for what is no file */
  async find(path: string): Promise<{ readonly path: string; readonly size: number }> {
    const found = await this.#resolve(path)
    if (!found) throw notFound(`${quote(path)} is not in the archive`)
    if (found.size === undefined) throw invalid(`${quote(path)} in the archive is no file`)
    return { path: found.path, size: found.size }
  }

  /** @returns the size of files alone */
  async #resolve(path: string): Promise<{ path: string; size?: number } | undefined> {
    if (path.length > maxPathLength || path.includes('\0')) throw invalid(`${quote(path)} can be no name`)
    let left = path.split('/')
    const at: string[] = []
    for (let links = 0; ; ) {
      const name = left.shift()
      if (name === undefined) return { path: join(this.#root, ...at) }
      if (name === '' || name === '.') continue
      if (name === '..') {
        at.pop()
        continue
      }
      const here = join(this.#root, ...at, name)
      const found = await lstatIfThere(here)
      if (!found) return undefined
      if (found.isSymbolicLink()) {
        links += 1
        if (links > maxLinks) throw invalid(`${quote(path)} in the archive leads through too many symbolic links`)
        const target = await readlink(here)
        if (target.startsWith('/')) at.length = 0
        left = [...target.split('/'), ...left]
      } else if (left.length === 0) return { path: here, ...(found.isFile() && { size: found.size }) }
      else if (found.isDirectory()) at.push(name)
      else return undefined
    }
  }
}

async function lstatIfThere(path: string) {
  try {
    return await lstat(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENAMETOOLONG' || code === 'ENOTDIR') return undefined
    throw error
  }
}

function quote(path: string): string {
  return JSON.stringify(path.slice(0, 200))
}
