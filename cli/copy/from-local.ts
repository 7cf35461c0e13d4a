import type { Stats } from 'node:fs'
import { lstat, open, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type TarEntry, tarEnd, tarHeader, tarPadding } from './tar-write.ts'

/** A file or directory of ours as a tar, whose entries begin with `name`. Sockets, devices and fifos are left out. */
export async function* packLocal(path: string, name: string): AsyncGenerator<Buffer> {
  yield* packOne(path, name)
  yield tarEnd
}

async function* packOne(path: string, name: string): AsyncGenerator<Buffer> {
  const stats = await lstat(path)
  if (stats.isSymbolicLink()) yield tarHeader(toEntry(stats, { kind: 'symlink', name, target: await readlink(path) }))
  else if (stats.isDirectory()) {
    yield tarHeader(toEntry(stats, { kind: 'directory', name, target: '' }))
    for (const child of (await readdir(path)).toSorted()) yield* packOne(join(path, child), `${name}/${child}`)
  } else if (stats.isFile()) yield* packFile(path, name)
}

async function* packFile(path: string, name: string): AsyncGenerator<Buffer> {
  await using file = await open(path, 'r')
  const stats = await file.stat()
  yield tarHeader(toEntry(stats, { kind: 'file', name, target: '' }))
  let left = stats.size
  if (left > 0) {
    for await (const chunk of file.createReadStream({ start: 0, end: stats.size - 1, autoClose: false })) {
      left -= (chunk as Buffer).length
      yield chunk as Buffer
    }
  }
  // A file that was cut meanwhile has the size that was told.
  for (; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536))
  yield tarPadding(stats.size)
}

function toEntry(stats: Stats, rest: Pick<TarEntry, 'kind' | 'name' | 'target'>): TarEntry {
  const size = rest.kind === 'file' ? stats.size : 0
  return { ...rest, size, mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid, mtime: stats.mtimeMs / 1000 }
}
