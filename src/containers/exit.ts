import { rm } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { isKind, messageOf } from '#base/errors.ts'
import type { Container } from './container.ts'
import { publish } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import { end } from './exec-table.ts'
import { unprobedHealth } from './health/state.ts'
import { isAlive, transition } from './lifecycle.ts'
import { unmountVolumes } from './mounts/volume-mounts.ts'
import { deleteElsewhere } from './other-runtime.ts'
import type { TaskExit } from './ports.ts'
import { removeLocked } from './remove.ts'
import { nextRestart } from './restart-policy.ts'
import { toSandboxRequest } from './sandbox-request.ts'
import { cgroupPathOf } from './spec/cgroups.ts'
import type { Task } from './task.ts'

/** How a run ended. */
export interface Ending extends Omit<TaskExit, 'task' | 'signal'> {
  /** What went wrong on our side, for the record; empty for an ordinary end. */
  readonly error: string
  /** By its restart policy: after a delay, or, when nobody saw the end, together with everything else. */
  readonly startsAgain?: 'with the daemon'
}

const killedCode = 137
const retryMs = 1000

/** Listens to everything the shim will tell of the task. Call before the task can end. */
export function watchTask(context: ContainerContext, task: Task): void {
  task.shim.onExit((exit) => (exit.task === '' ? initExited(context, task, exit) : execExited(context, task, exit)))
  task.shim.onOom(() => publishOom(context, task))
  task.shim.onGone(() => context.background.run('a shim is gone', () => shimGone(context, task)))
}

/** Fulfilled when the exit is recorded; what the container had is released after that, under the same lock. */
async function initExited(context: ContainerContext, task: Task, exit: TaskExit): Promise<void> {
  using undo = new DisposableStack()
  undo.use(await context.locks.acquire(task.containerId))
  const container = context.store.find(task.containerId)
  if (!container || !context.tasks.delete(task)) return
  const after = await recordExitInTheEnd(context, container, { ...exit, error: '' })
  const held = undo.move()
  context.background.run('releasing a container that has ended', async () => {
    using _held = held
    // The acknowledgement, which follows this function's return, must reach the shim before the end that we ask of it.
    await setImmediate()
    await releaseTask(context, container, task)
    await finish(context, after)
  })
}

interface Recorded {
  readonly container: Container
  readonly restartAfterMs: number | undefined
}

/** As `recordExit`, again and again until the disk takes it: a run that has ended must not stay recorded as going on. A daemon that is
 *  stopped meanwhile leaves it to the next one.   @throws `cancelled` then */
export async function recordExitInTheEnd(
  context: ContainerContext,
  container: Container,
  ending: Ending,
): Promise<Recorded> {
  for (;;) {
    try {
      return recordExit(context, container, ending)
    } catch (error) {
      context.log.error(
        { container: container.id, error: messageOf(error) },
        'the end of a container is not recorded yet',
      )
      await context.clock.sleep(retryMs, { signal: context.background.signal })
    }
  }
}

/** Writes the end of a run into the record and tells it to everybody who waits. */
function recordExit(context: ContainerContext, container: Container, ending: Ending): Recorded {
  const { state, restartCount, host, id } = container
  const ranForMs = Number((ending.finishedAt - (state.startedAt ?? ending.finishedAt)) / 1_000_000n)
  const attempt = {
    exitCode: ending.code,
    stoppedByUser: state.stoppedByUser,
    restartCount,
    ranForMs,
    previousDelayMs: context.restarts.previousDelayMs(id),
  }
  const isLeft = context.background.signal.aborted || ending.startsAgain === 'with the daemon'
  const restart = isLeft ? undefined : nextRestart(host.restartPolicy, attempt)
  const after: Container = {
    ...container,
    state: {
      ...state,
      status: isAlive(container) ? transition(container, restart ? 'retry' : 'exit') : 'exited',
      pid: 0,
      exitCode: ending.code,
      error: ending.error,
      oomKilled: ending.oomKilled,
      finishedAt: ending.finishedAt,
      health: unprobedHealth(state.health),
    },
  }
  context.health.end(id)
  context.store.database.transaction(() => {
    context.store.update(after)
    const execDuration = String(Math.max(0, Math.trunc(ranForMs / 1000)))
    publish(context, after, 'die', { exitCode: String(ending.code), execDuration })
  })
  context.execs.endAll(id)
  context.forwarders.end(id)
  context.exits.tell(id, 'exit', { code: ending.code, error: undefined })
  return { container: after, restartAfterMs: restart?.delayMs }
}

/** Removes or restarts the container, as its settings say. The caller holds the lock. */
export async function finish(context: ContainerContext, { container, restartAfterMs }: Recorded): Promise<void> {
  if (restartAfterMs !== undefined) scheduleRestart(context, container.id, restartAfterMs)
  else if (container.host.autoRemove && !context.restarts.isKept(container.id))
    await removeLocked(context, container, { volumes: true })
}

async function releaseTask(context: ContainerContext, container: Container, { shim }: Task): Promise<void> {
  try {
    await shim.shutdown()
  } catch (error) {
    context.log.warn({ container: container.id, error: messageOf(error) }, 'a shim did not shut down: it is killed')
    await shim.destroy()
    await releaseCgroup(context, container)
  }
  await releaseRest(context, container)
}

/** What a dead shim left: processes, if the kernel has not killed them yet, and the group. */
export async function releaseCgroup(context: ContainerContext, container: Container): Promise<void> {
  await deleteElsewhere(context, container)
  const path = cgroupPathOf(container, context.cgroupDriver)
  await context.cgroups.kill(path)
  await context.cgroups.remove(path)
}

/** Volumes, the host's side of the network, and the shim's directory. */
export async function releaseRest(context: ContainerContext, container: Container): Promise<void> {
  await unmountVolumes(context, container)
  await releaseHostSide(context, container.id)
}

/** As `releaseRest`, where nobody has its volumes mounted. */
export async function releaseHostSide(context: ContainerContext, id: string): Promise<void> {
  await context.network.closeSandbox(id)
  await rm(context.paths.shimDirectory(id), { recursive: true, force: true })
}

/** The connection ended without our asking: the shim died, or it has ended by itself after writing its record. */
async function shimGone(context: ContainerContext, task: Task): Promise<void> {
  if (context.background.signal.aborted) return
  const id = task.containerId
  using _held = await context.locks.acquire(id)
  const container = context.store.find(id)
  if (!container || !context.tasks.delete(task)) return
  const directory = context.paths.shimDirectory(id)
  const living = await context.shims.adopt(directory)
  if (living) {
    await context.network.adoptSandbox(id, toSandboxRequest(context, container), living)
    const again: Task = { containerId: id, shim: living }
    context.tasks.add(again)
    watchTask(context, again)
    return
  }
  const exit = await readEnding(context, id)
  await releaseCgroup(context, container)
  const after = await recordExitInTheEnd(context, container, exit)
  await releaseRest(context, container)
  await finish(context, after)
}

/** As its shim wrote it down, or what can be said without that. */
export async function readEnding(context: ContainerContext, id: string): Promise<Ending> {
  try {
    const record = await context.shims.readExitRecord(context.paths.shimDirectory(id))
    if (record) return { ...record, error: '' }
    return unseenEnd(context, "the container's shim was killed, and the container with it")
  } catch (error) {
    if (!isKind(error, 'data-loss')) throw error
    return unseenEnd(context, `how the container ended is not known: ${messageOf(error)}`)
  }
}

/** The truth when nobody saw how it ended, only that it cannot have lived on. */
function unseenEnd({ clock }: Pick<ContainerContext, 'clock'>, error: string): Ending {
  return { code: killedCode, oomKilled: false, finishedAt: clock.nowNanos(), error }
}

async function execExited(context: ContainerContext, { containerId }: Task, exit: TaskExit): Promise<void> {
  const exec = context.execs.find(exit.task)
  const container = context.store.find(containerId)
  if (!exec || exec.state === 'ended') return
  end(exec, exit.code)
  if (container) publish(context, container, 'exec_die', { execID: exec.id, exitCode: String(exit.code) })
}

function publishOom(context: ContainerContext, { containerId }: Task): void {
  const container = context.store.find(containerId)
  if (container) publish(context, container, 'oom')
}

export function scheduleRestart(context: ContainerContext, id: string, delayMs: number): void {
  const cancelled = context.restarts.begin(id, delayMs)
  context.background.run('restarting a container', async () => {
    const signal = AbortSignal.any([cancelled, context.background.signal])
    try {
      await context.clock.sleep(delayMs, { signal })
    } catch (error) {
      if (isKind(error, 'cancelled')) return
      throw error
    }
    await context.restartNow(id, signal)
  })
}
