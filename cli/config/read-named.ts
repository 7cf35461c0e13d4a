import { readFileSync } from 'node:fs'
import { invalid, messageOf, systemCode } from '#base/errors.ts'

/** Reads a file that the user has named.   @throws `invalid` in Go's words */
export function readNamed(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw invalid(fileProblem(path, error), { cause: error })
  }
}

/** `open PATH: no such file or directory` */
export function fileProblem(path: string, error: unknown): string {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or directory',
    ENOTDIR: 'not a directory',
    EACCES: 'permission denied',
    EISDIR: 'is a directory',
    EEXIST: 'file exists',
  }
  const code = systemCode(error) ?? ''
  return `${code === 'EISDIR' ? 'read' : 'open'} ${path}: ${reasons[code] ?? messageOf(error)}`
}
