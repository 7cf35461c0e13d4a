import { posix } from 'node:path'

/** A path that a client names → absolute and clean; a slash or `/.` at its end stays, since it follows a symlink. */
export function toArchivePath(path: string): string {
  const clean = posix.join('/', path).replace(/(.)\/$/, '$1')
  const lastWord = posix.basename(path)
  const dot = lastWord === '.' && !clean.endsWith('/.') ? `${clean.endsWith('/') ? '' : '/'}.` : ''
  const slash = path.endsWith('/') && !clean.endsWith('/') ? '/' : ''
  return `${clean}${dot === '' ? slash : dot}`
}

/** What Docker calls what lies there: the last word, `.` and `/` included. */
export function nameOf(archivePath: string): string {
  return archivePath === '/' ? '/' : posix.basename(archivePath)
}
