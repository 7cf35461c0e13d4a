import { execFileSync } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { timeProcess } from '../measure.ts'

/** What this machine could do at best: one step of a pull alone, by somebody else's program, in milliseconds. */
export interface Limits {
  /** zlib on one core. */
  readonly inflate: number
  /** GNU tar, from an uncompressed archive in memory. */
  readonly untar: number
  /** The same, and its files on the disk. */
  readonly untarDurable: number
  /** `cp -a` of the tree. */
  readonly copy: number
}

/** @param layers blobs (gzip) of one image   @param directory for its files; on the file system of the engines */
export async function measureLimits(layers: readonly string[], directory: string): Promise<Limits> {
  const inflater = join(directory, 'inflate')
  const source = join(import.meta.dirname, 'inflate.c')
  execFileSync('gcc', ['-O2', '-o', inflater, source, '-lz'])
  const tree = join(directory, 'tree')
  const copy = join(directory, 'copy')
  await mkdir(tree, { recursive: true })
  const limits = {
    inflate: await timeProcess(inflater, layers),
    ...(await untar(layers, directory, tree)),
    copy: await timeProcess('cp', ['-a', tree, copy]),
  }
  for (const path of [tree, copy]) await rm(path, { recursive: true, force: true })
  return limits
}

async function untar(layers: readonly string[], directory: string, tree: string) {
  const archives = layers.map((_, index) => join(directory, `${index}.tar`))
  for (const [index, layer] of layers.entries()) {
    execFileSync('sh', ['-c', 'gzip -dc "$0" >"$1"', layer, archives[index] ?? ''])
  }
  execFileSync('sync', ['-f', directory])
  const script = 'tree=$1; shift; for archive; do tar -xf "$archive" -C "$tree" || exit; done'
  const extracting = await timeProcess('sh', ['-c', script, 'sh', tree, ...archives])
  const syncing = await timeProcess('sync', ['-f', tree])
  for (const archive of archives) await rm(archive)
  return { untar: extracting, untarDurable: extracting + syncing }
}
