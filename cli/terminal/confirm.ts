import { isKind } from '#base/errors.ts'
import type { Cli } from '../cli.ts'
import { ExitError } from '../exit-error.ts'
import { ask } from './ask.ts'

/** Goes on only after a yes.   @param what `image prune`   @throws ExitError 1 otherwise, also at the end of the input */
export async function confirm(cli: Cli, warning: string, what: string): Promise<void> {
  const answer = await ask(cli, `${warning}\nAre you sure you want to continue? [y/N] `).catch((error: unknown) => {
    if (isKind(error, 'cancelled')) return ''
    throw error
  })
  if (answer.toLowerCase() !== 'y') throw new ExitError(1, `${what} has been cancelled`)
}
