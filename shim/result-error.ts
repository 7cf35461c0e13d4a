import { BerthError } from '#base/errors.ts'
import { errnoError } from '#runtime/errno.ts'

/**
 * The error of a RESULT; its `code` is the errno's name (`ENOENT`). Texts about execve and the working directory are complete
 * sentences that Docker's clients compare, and those of other runtimes say what they say; others get the errno's words behind them.
 * @param number positive errno
 */
export function resultError(number: number, text: string): BerthError {
  const error = errnoError(number, text)
  if (!/^(exec|chdir to cwd|runtime ')/.test(text)) return error
  return new BerthError(error.kind, text, error.code === undefined ? {} : { code: error.code })
}
