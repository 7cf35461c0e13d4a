import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode, tooLarge, unavailable } from '#base/errors.ts'
import type { LayerMarks, RootfsMounts } from '../ports.ts'

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
/** Node does not name it. */
const O_PATH = 0o10000000
/** As the kernel allows. */
const symlinkLimit = 40

type Entry =
  | { readonly kind: 'directory' }
  | { readonly kind: 'file'; readonly fd: number }
  | { readonly kind: 'link'; readonly target: string }

/**
 * Reads files of a container's root that is not mounted: the layers from the top down, as overlayfs would merge them. Links are
 * followed inside the root only; every step is taken from a held directory and refuses links, so that a running container cannot
 * redirect it.
 */
export class LayerView {
  readonly #layers: readonly string[]
  readonly #marks: LayerMarks

  constructor(mounts: RootfsMounts, marks: LayerMarks) {
    this.#marks = marks
    this.#layers =
      mounts.kind === 'directory'
        ? [mounts.path]
        : [...(mounts.upper === undefined ? [] : [mounts.upper]), ...mounts.lower]
  }

  /** The file's text, or undefined when there is no such regular file.   @throws `too-large`, `unavailable` behind a lease of a container */
  readText(path: string, limit: number): string | undefined {
    const pending = path.split('/').filter((part) => part !== '')
    const done: string[] = []
    for (let links = 0; links <= symlinkLimit; ) {
      const part = pending.shift()
      if (part === undefined) return undefined
      if (part === '.') continue
      if (part === '..') {
        done.pop()
        continue
      }
      const entry = this.#lookup([...done, part])
      if (!entry) return undefined
      if (entry.kind === 'directory') done.push(part)
      if (entry.kind === 'file') return pending.length > 0 ? closed(entry.fd) : readAndClose(entry.fd, path, limit)
      if (entry.kind === 'link') {
        links += 1
        pending.unshift(...entry.target.split('/').filter((one) => one !== ''))
        if (entry.target.startsWith('/')) done.length = 0
      }
    }
    return undefined
  }

  /** What the merged root has at a path of plain names. */
  #lookup(parts: readonly string[]): Entry | undefined {
    for (const layer of this.#layers) {
      const found = this.#lookupInLayer(layer, parts)
      if (found === 'hidden') return undefined
      if (found !== 'absent') return found
    }
    return undefined
  }

  /** `absent`: look further down. `hidden`: this layer says that the path is not there, whatever is below. */
  #lookupInLayer(layer: string, parts: readonly string[]): Entry | 'absent' | 'hidden' {
    let directory = openSync(layer, O_RDONLY | O_DIRECTORY)
    let isAlone = this.#marks.isOpaque(directory)
    try {
      for (const part of parts.slice(0, -1)) {
        const next = openAt(directory, part, O_PATH | O_NOFOLLOW)
        if (next === undefined) return isAlone ? 'hidden' : 'absent'
        closeSync(directory)
        directory = next
        // A whiteout or a file in place of a directory of the layers below.
        if (!fstatSync(directory).isDirectory()) return 'hidden'
        isAlone ||= this.#marks.isOpaque(directory)
      }
      const entry = openEntry(directory, parts.at(-1) ?? '.')
      return entry === 'absent' && isAlone ? 'hidden' : entry
    } finally {
      closeSync(directory)
    }
  }
}

function openEntry(directory: number, name: string): Entry | 'absent' | 'hidden' {
  const fd = openAt(directory, name, O_PATH | O_NOFOLLOW)
  if (fd === undefined) return 'absent'
  try {
    const stat = fstatSync(fd)
    if (stat.isSymbolicLink()) return { kind: 'link', target: readlinkSync(at(directory, name)) }
    if (stat.isDirectory()) return { kind: 'directory' }
    if (!stat.isFile()) return 'hidden'
    // What was looked at, not its name again: a container could have put a device there, which merely to open is to act.
    return { kind: 'file', fd: openFile(fd, name) }
  } finally {
    closeSync(fd)
  }
}

/** A lease (fcntl(2)) makes whoever opens the file wait for its holder, which a container may be. */
function openFile(held: number, name: string): number {
  try {
    return openSync(join('/proc/self/fd', String(held)), O_RDONLY | O_NONBLOCK)
  } catch (cause) {
    if (systemCode(cause) !== 'EAGAIN') throw cause
    throw unavailable(`${name} of the container is under a lease of a process: end that process, or try again`, {
      cause,
    })
  }
}

/** The magic link leads to the directory that is held, wherever its path leads by now. */
function at(directory: number, name: string): string {
  return join('/proc/self/fd', String(directory), name)
}

function openAt(directory: number, name: string, flags: number): number | undefined {
  try {
    return openSync(at(directory, name), flags)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG') return undefined
    throw error
  }
}

function closed(fd: number): undefined {
  closeSync(fd)
  return undefined
}

function readAndClose(fd: number, path: string, limit: number): string {
  try {
    const { size } = fstatSync(fd)
    if (size > limit) throw tooLarge(`${path} of the container is larger than ${limit} bytes`)
    const buffer = Buffer.alloc(size)
    let filled = 0
    while (filled < size) {
      const count = readSync(fd, buffer, filled, size - filled, filled)
      if (count === 0) break
      filled += count
    }
    return buffer.toString('utf8', 0, filled)
  } finally {
    closeSync(fd)
  }
}
