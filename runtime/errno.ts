import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import { BerthError, type Kind } from '#base/errors.ts'

const { errno } = constants

const kindOf: Readonly<Record<number, Kind>> = {
  [errno.ENOENT]: 'not-found',
  [errno.ESRCH]: 'not-found',
  [errno.ENODEV]: 'not-found',
  [errno.EINVAL]: 'invalid',
  [errno.ENOTDIR]: 'invalid',
  [errno.EISDIR]: 'invalid',
  [errno.ENOEXEC]: 'invalid',
  [errno.ENAMETOOLONG]: 'invalid',
  [errno.EFBIG]: 'too-large',
  [errno.E2BIG]: 'too-large',
  [errno.EACCES]: 'forbidden',
  [errno.EPERM]: 'forbidden',
  [errno.EEXIST]: 'already-exists',
  [errno.EALREADY]: 'conflict',
  [errno.EBUSY]: 'conflict',
  [errno.ENOSPC]: 'no-space',
  [errno.EDQUOT]: 'no-space',
  [errno.EBADMSG]: 'data-loss',
  [errno.ENOMEM]: 'unavailable',
  [errno.EMFILE]: 'unavailable',
  [errno.ENFILE]: 'unavailable',
  [errno.EAGAIN]: 'unavailable',
  [errno.EPIPE]: 'unavailable',
  [errno.ECONNREFUSED]: 'unavailable',
  [errno.ECONNRESET]: 'unavailable',
  [errno.ETIMEDOUT]: 'timeout',
  [errno.ENOSYS]: 'not-implemented',
  [errno.EOPNOTSUPP]: 'not-implemented',
  [errno.EPROTONOSUPPORT]: 'not-implemented',
}

/** Errors about documents are complete sentences; the errno's words would only blur them. */
const complete: ReadonlySet<number> = new Set([
  errno.EINVAL,
  errno.EFBIG,
  errno.E2BIG,
  errno.EBADMSG,
  errno.EPROTONOSUPPORT,
])

/** libuv, whose map has the words, knows fewer names. Of two names for one number (EAGAIN, EWOULDBLOCK) the first stays. */
const names = new Map(
  Object.entries(errno)
    .reverse()
    .map(([name, number]) => [number, name]),
)

/**
 * The error of a failed native call: `code` is the errno's name (`ENOENT`), the message the library's sentence with the errno's words.
 * @param number positive errno
 */
export function errnoError(number: number, text: string): BerthError {
  const kind = kindOf[number] ?? 'internal'
  const name = names.get(number) ?? `errno ${number}`
  const words = getSystemErrorMap().get(-number)?.[1] ?? name
  return new BerthError(kind, complete.has(number) ? text : `${text}: ${words}`, { code: name })
}
