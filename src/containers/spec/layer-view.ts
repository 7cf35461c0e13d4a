import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode, tooLarge, unavailable } from '#base/errors.ts'
import type { LayerMarks, RootfsMounts } from '../ports.ts'

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
/** Node does not name it. */
const O_PATH = 0o10000000
/** As the kernel allows. */
const symlinkLimit = 40

/** What the merged root has at a path. */
export type Found =
  /** The directories that make it up, topmost first. */
  { readonly kind: 'directory'; readonly layers: readonly string[] } | { readonly kind: 'other'; readonly path: string }

type Entry =
  | { readonly kind: 'directory' }
  | { readonly kind: 'file'; readonly fd: number }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'special' }

/** `absent`: look further down. `hidden`: this layer says that the path is not there, whatever is below. */
type Lookup = Entry | 'absent' | 'hidden'

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
    const found = this.#resolve(path)
    return found?.entry.kind === 'file' ? readAndClose(found.entry.fd, path, limit) : undefined
  }

  /** Where a path leads, links followed. The layers must not be written to meanwhile: the answer is paths. */
  find(path: string): Found | undefined {
    const found = this.#resolve(path)
    if (!found) return undefined
    const { entry, parts } = found
    if (entry.kind === 'directory') return { kind: 'directory', layers: this.#directoriesOf(parts) }
    if (entry.kind === 'file') closeSync(entry.fd)
    return { kind: 'other', path: this.#pathOf(parts) }
  }

  /** The directories of that path that the merged root shows as one. */
  #directoriesOf(parts: readonly string[]): string[] {
    const found: string[] = []
    for (const layer of this.#layers) {
      const { entry, isAlone } = this.#lookupInLayer(layer, parts)
      if (entry === 'hidden') break
      if (entry !== 'absent') {
        if (entry.kind === 'file') closeSync(entry.fd)
        if (entry.kind !== 'directory') break
        found.push(join(layer, ...parts))
      }
      if (isAlone) break
    }
    return found
  }

  /** Of what is no directory, in the layer that it comes from. */
  #pathOf(parts: readonly string[]): string {
    for (const layer of this.#layers) {
      const { entry } = this.#lookupInLayer(layer, parts)
      if (typeof entry === 'string') continue
      if (entry.kind === 'file') closeSync(entry.fd)
      return join(layer, ...parts)
    }
    throw new TypeError(`/${parts.join('/')} is in no layer any more`)
  }

  #resolve(path: string): { readonly entry: Entry; readonly parts: readonly string[] } | undefined {
    const pending = path.split('/').filter((part) => part !== '')
    const done: string[] = []
    for (let links = 0; links <= symlinkLimit; ) {
      const part = pending.shift()
      if (part === undefined) return { entry: { kind: 'directory' }, parts: done }
      if (part === '.') continue
      if (part === '..') {
        done.pop()
        continue
      }
      const entry = this.#lookup([...done, part])
      if (!entry) return undefined
      if (entry.kind === 'directory') done.push(part)
      if (entry.kind === 'file' && pending.length > 0) return closed(entry.fd)
      if (entry.kind === 'file') return { entry, parts: [...done, part] }
      if (entry.kind === 'special') return pending.length > 0 ? undefined : { entry, parts: [...done, part] }
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
      const { entry } = this.#lookupInLayer(layer, parts)
      if (entry === 'hidden') return undefined
      if (entry !== 'absent') return entry
    }
    return undefined
  }

  /** Alone: what the layers below have at this path is not seen. */
  #lookupInLayer(layer: string, parts: readonly string[]): { readonly entry: Lookup; readonly isAlone: boolean } {
    let directory = openSync(layer, O_RDONLY | O_DIRECTORY)
    let isAlone = this.#marks.isOpaque(directory)
    try {
      for (const part of parts.slice(0, -1)) {
        const next = openAt(directory, part, O_PATH | O_NOFOLLOW)
        if (next === undefined) return { entry: isAlone ? 'hidden' : 'absent', isAlone }
        closeSync(directory)
        directory = next
        // A whiteout or a file in place of a directory of the layers below.
        if (!fstatSync(directory).isDirectory()) return { entry: 'hidden', isAlone }
        isAlone ||= this.#marks.isOpaque(directory)
      }
      const entry = openEntry(directory, parts.at(-1) ?? '.', (fd) => {
        isAlone ||= this.#marks.isOpaque(fd)
      })
      return { entry: entry === 'absent' && isAlone ? 'hidden' : entry, isAlone }
    } finally {
      closeSync(directory)
    }
  }
}

function openEntry(directory: number, name: string, onDirectory: (fd: number) => void): Lookup {
  const fd = openAt(directory, name, O_PATH | O_NOFOLLOW)
  if (fd === undefined) return 'absent'
  try {
    const stat = fstatSync(fd)
    if (stat.isSymbolicLink()) return { kind: 'link', target: readlinkSync(at(directory, name)) }
    if (stat.isDirectory()) {
      onDirectory(fd)
      return { kind: 'directory' }
    }
    if (stat.isCharacterDevice() && stat.rdev === 0) return 'hidden'
    if (!stat.isFile()) return { kind: 'special' }
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
