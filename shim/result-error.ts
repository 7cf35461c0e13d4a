import { BerthError } from '#base/errors.ts'
import { errnoError } from '#runtime/errno.ts'

/**
 * The error of a RESULT; its `code` is the errno's name (`ENOENT`). Texts about execve and the working directory are complete
 * sentences that Docker's clients compare; others get the errno's words behind them.
 * @param number positive errno
 */
export function resultError(number: number, text: string): BerthError {
  const error = errnoError(number, text)
  if (!text.startsWith('exec') && !text.startsWith('chdir to cwd')) return error
  return new BerthError(error.kind, text, error.code === undefined ? {} : { code: error.code })
}
