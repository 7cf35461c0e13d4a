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
    return { exit: Promise.resolve({ code: container.state.exitCode, error: undefined }) }
  }
  return { exit: exits.next(container.id, condition === 'removed' ? 'removed' : 'exit', signal) }
}
