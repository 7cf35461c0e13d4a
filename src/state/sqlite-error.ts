import { dataLoss, internal, messageOf, noSpace, systemCode } from '#base/errors.ts'

/** Primary result codes. @see https://www.sqlite.org/rescode.html */
const inputOutput = 10
const corrupt = 11
const full = 13
const cannotOpen = 14
const notDatabase = 26

/** What SQLite, or the system at the files beside it, says of the disk as an error of ours; anything else as it is. */
export function toStateError(error: unknown, path: string): unknown {
  const code = primaryCode(error)
  if (code === full || isOneOf(error, ['ENOSPC', 'EDQUOT'])) {
    return noSpace(`no space left for the database ${path}: remove containers or images, or enlarge the disk`, {
      cause: error,
    })
  }
  if (code === inputOutput || code === cannotOpen || isOneOf(error, ['EIO', 'EROFS', 'EMFILE', 'ENFILE'])) {
    const words = `the disk or the limit of open files fails the database ${path} (${messageOf(error)})`
    return internal(`${words}: look at the kernel's log (dmesg), then run system check`, { cause: error, code: 'disk' })
  }
  if (code === corrupt || code === notDatabase) return dataLoss(`${path} is damaged or no database`, { cause: error })
  return error
}

/** Whether a full disk may be the reason: a new index of the log that finds no room is only an error of input and output. */
export function mayLackSpace(error: unknown): boolean {
  const code = primaryCode(error)
  return code === full || code === inputOutput
}

function isOneOf(error: unknown, codes: readonly string[]): boolean {
  return codes.includes(systemCode(error) ?? '')
}

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}
