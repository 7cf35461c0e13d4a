import type { ContainerContext } from './context.ts'
import type { ExitResult } from './exit-watch.ts'
import { isRunning } from './lifecycle.ts'
import type { WaitCondition } from './requests.ts'

/** Registered when this returns. A wait that the signal ends never settles.   @throws `not-found` */
export function wait(
  { store, exits }: ContainerContext,
  name: string,
  options: { condition: WaitCondition; signal: AbortSignal },
): { exit: Promise<ExitResult> } {
  const container = store.get(name)
  const { condition, signal } = options
  if (condition === 'not-running' && !isRunning(container)) {
    const { exitCode, error } = container.state
    return { exit: Promise.resolve({ code: exitCode, error: error === '' ? undefined : error }) }
  }
  return { exit: exits.next(container.id, condition === 'removed' ? 'removed' : 'exit', signal) }
}
