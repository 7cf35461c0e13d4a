import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isSea } from 'node:sea'

/** Where the parts that are not TypeScript lie. */
export interface Natives {
  /** libberth.so */
  readonly library: string
  readonly shim: string
  readonly unpack: string
  readonly runtime: string
  /** Asks ports of containers. */
  readonly probe: string
  /** Process 1 of containers that ask for one. */
  readonly init: string
  /** OCI layout directory of the image `berth/hello`. */
  readonly hello: string
  /** The FFI package's exports, where it cannot be imported by name. */
  readonly koffi: unknown
}

/** One file carried by the binary; `path` is relative to the directory it is unpacked to. */
export interface PackedFile {
  readonly path: string
  readonly mode: number
  readonly sha256: string
}

/** The asset that lists the others. */
export const packedListAsset = 'packed.json'
export const packedAssetOf = (path: string): string => `packed/${path}`

/**
 * In the single binary: unpacks what it carries to `<data-root>/native/<digest>/` (0700), or verifies what an earlier start
 * left there. In a source tree: what the build made.
 */
export async function openNatives(dataRoot: string): Promise<Natives> {
  if (!isSea()) return nativesBelow(join(import.meta.dirname, '../../build/native'), undefined)
  const directory = await unpackBelow(join(dataRoot, 'native'))
  return nativesBelow(directory, loadAddon(join(directory, 'koffi.node')))
}

/**
 * Removes what other versions unpacked; running shims live in memory. Only for the owner of the data root: another daemon may
 * be about to read its own.
 */
export async function removeOtherNatives(dataRoot: string, { library }: Natives): Promise<void> {
  if (!isSea()) return
  const own = dirname(library)
  for (const other of await readdir(dirname(own))) {
    if (other !== basename(own)) await rm(join(dataRoot, 'native', other), { recursive: true, force: true })
  }
}

function nativesBelow(directory: string, koffi: unknown): Natives {
  return {
    library: join(directory, 'libberth.so'),
    shim: join(directory, 'berth-shim'),
    unpack: join(directory, 'berth-unpack'),
    runtime: join(directory, 'berth-runtime'),
    probe: join(directory, 'berth-probe'),
    init: join(directory, 'berth-init'),
    hello: join(directory, 'hello-image'),
    koffi,
  }
}

async function unpackBelow(parent: string): Promise<string> {
  const { getAsset, getRawAsset } = await import('node:sea')
  const list = getAsset(packedListAsset, 'utf8')
  const files = JSON.parse(list) as readonly PackedFile[]
  const name = sha256(list).slice(0, 16)
  const directory = join(parent, name)
  await mkdir(parent, { recursive: true, mode: 0o700 })
  await chmod(parent, 0o700)
  if (await isIntact(directory, files)) return directory

  const temporary = join(parent, `.${name}.${process.pid}`)
  for (const { path, mode } of files) {
    await mkdir(dirname(join(temporary, path)), { recursive: true, mode: 0o700 })
    await writeFile(join(temporary, path), new Uint8Array(getRawAsset(packedAssetOf(path))), { mode })
  }
  await rm(directory, { recursive: true, force: true })
  await rename(temporary, directory)
  return directory
}

async function isIntact(directory: string, files: readonly PackedFile[]): Promise<boolean> {
  for (const { path, sha256: expected } of files) {
    const content = await readFile(join(directory, path)).catch(() => undefined)
    if (content === undefined || sha256(content) !== expected) return false
  }
  return true
}

function loadAddon(path: string): unknown {
  const addon: { exports: unknown } = { exports: {} }
  process.dlopen(addon, path)
  return addon.exports
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
