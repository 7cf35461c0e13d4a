import { constants } from 'node:os'
import { getSystemErrorMessage } from 'node:util'
import { BerthError, type Kind } from '#base/errors.ts'

const { errno } = constants

const kindOf: Readonly<Record<number, Kind>> = {
  [errno.ENOENT]: 'not-found',
  [errno.ESRCH]: 'not-found',
  [errno.EINVAL]: 'invalid',
  [errno.ENOTTY]: 'invalid',
  [errno.ENOTDIR]: 'invalid',
  [errno.ENOEXEC]: 'invalid',
  [errno.EACCES]: 'forbidden',
  [errno.EPERM]: 'forbidden',
  [errno.EEXIST]: 'already-exists',
  [errno.EALREADY]: 'conflict',
  [errno.EBUSY]: 'conflict',
  [errno.ENOSPC]: 'no-space',
  [errno.ENOMEM]: 'unavailable',
  [errno.EAGAIN]: 'unavailable',
  [errno.ETIMEDOUT]: 'timeout',
  [errno.ENOSYS]: 'not-implemented',
  [errno.EPROTONOSUPPORT]: 'not-implemented',
}

const namesByErrno = new Map(Object.entries(errno).map(([name, number]) => [number, name]))

/**
 * The error of a RESULT. Its `code` is the errno's name (`ENOENT`). Texts of a failing execve are complete sentences that
 * clients compare, others get the errno's words behind them.
 */
export function resultError(code: number, text: string): BerthError {
  const complete = text.startsWith('exec') || text.startsWith('chdir to cwd')
  const message = complete ? text : `${text}: ${getSystemErrorMessage(-code)}`
  const name = namesByErrno.get(code)
  return new BerthError(kindOf[code] ?? 'internal', message, name === undefined ? {} : { code: name })
}
