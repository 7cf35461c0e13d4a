import { isKind, messageOf } from '#base/errors.ts'
import { publish } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import { scheduleRestart } from './exit.ts'
import { start, startLocked } from './start.ts'
import { checkSignal, type StopOptions, stopChecked } from './stop.ts'

const roomRetryMs = 5000

/** Stops the container, if it runs, and starts it. */
export async function restart(context: ContainerContext, name: string, options: StopOptions): Promise<void> {
  const { id } = context.store.get(name)
  checkSignal(`Cannot restart container ${name}`, options)
  {
    using _kept = context.restarts.keep(id)
    try {
      await stopChecked(context, id, options)
    } catch (error) {
      if (!isKind(error, 'not-modified')) throw error
    }
    await start(context, id)
  }
  const container = context.store.find(id)
  if (container) publish(context, container, 'restart')
}

/** What a restart policy does when the delay is over, unless a user was faster. */
export async function attemptRestart(context: ContainerContext, id: string, signal: AbortSignal): Promise<void> {
  using _held = await context.locks.acquire(id)
  const container = context.store.find(id)
  if (container?.state.status !== 'restarting' || signal.aborted) return
  if (!hasRoom(context, id)) return scheduleRestart(context, id, roomRetryMs)
  context.restarts.done(id)
  await startLocked(context, { ...container, restartCount: container.restartCount + 1 })
}

/** A container that ends again and again writes each time: on a full disk it would use up what deleting needs. */
function hasRoom({ store, log }: ContainerContext, id: string): boolean {
  try {
    store.database.checkRoom()
    return true
  } catch (error) {
    if (!isKind(error, 'no-space')) throw error
    log.warn({ container: id, error: messageOf(error) }, 'a restart waits for room on the disk')
    return false
  }
}
