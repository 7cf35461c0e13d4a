import { isKind } from '#base/errors.ts'
import type { Container, HealthAction } from '../container.ts'
import type { ContainerContext } from '../context.ts'
import { isAlive } from '../lifecycle.ts'
import { restart } from '../restart.ts'
import { killAndWait, stop } from '../stop.ts'

/** Does in the background what create asked for in case that the container becomes unhealthy. */
export function actOnUnhealthy(context: ContainerContext, { id, onUnhealthy }: Container): void {
  if (!onUnhealthy) return
  context.background.run(`${onUnhealthy} of the unhealthy container ${id}`, async () => {
    try {
      await act(context, id, onUnhealthy)
    } catch (error) {
      // It ended by itself, or a user was faster.
      if (!isKind(error, 'not-modified') && !isKind(error, 'conflict') && !isKind(error, 'not-found')) throw error
    }
  })
}

async function act(context: ContainerContext, id: string, action: HealthAction): Promise<void> {
  switch (action) {
    case 'restart':
      return await restart(context, id, {})
    case 'stop':
      return await stop(context, id, {})
    case 'kill': {
      const container = context.store.get(id)
      // Unlike a user's kill it leaves the restart policy in force.
      if (isAlive(container)) await killAndWait(context, container, context.exits.next(id, 'exit'))
      return
    }
    default:
      action satisfies never
  }
}
