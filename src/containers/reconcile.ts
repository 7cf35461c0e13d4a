import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isKind, messageOf, systemCode } from '#base/errors.ts'
import { isFullId } from '#base/ids.ts'
import type { Container, Health } from './container.ts'
import { commit } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import {
  finish,
  readEnding,
  recordExitInTheEnd,
  releaseCgroup,
  releaseHostSide,
  releaseRest,
  watchTask,
} from './exit.ts'
import { healthCheckOf } from './health/check.ts'
import { isProbeId } from './health/command-probe.ts'
import { startingHealth } from './health/state.ts'
import { releaseHeld } from './hold-still.ts'
import { isAlive } from './lifecycle.ts'
import type { ShimHandle } from './ports.ts'
import { removeLocked } from './remove.ts'
import { startsWithDaemon } from './restart-policy.ts'
import { toSandboxRequest } from './sandbox-request.ts'
import { startLocked } from './start.ts'
import { settlesWithin } from './stop.ts'

/** How long the daemon's own start waits for shims that do not answer. */
const patienceMs = 2000
const retryMs = 1000
const sigkill = 9

/**
 * At boot, before anybody is served: brings the records in line with the shims that live, and clears what a daemon left that was
 * killed in the middle of something. Restart policies begin to work again in the background.
 */
export async function reconcile(context: ContainerContext): Promise<void> {
  const all = Promise.all([
    removeOrphans(context),
    ...context.store.all().map(({ id }) => reconcileUntilDone(context, id)),
  ])
  context.background.run('reconciling containers', async () => void (await all))
  await settlesWithin(all, patienceMs)
}

/** Keeps the container's lock as long as its shim does not answer: nothing can be done with it before it is known how it is. */
async function reconcileUntilDone(context: ContainerContext, id: string): Promise<void> {
  using _held = await context.locks.acquire(id)
  while (!context.background.signal.aborted) {
    try {
      return await reconcileOne(context, context.store.get(id))
    } catch (error) {
      // One damaged container must not keep the others from being served.
      context.log.error({ container: id, error: messageOf(error) }, 'a container could not be reconciled')
      if (!isKind(error, 'timeout')) return
    }
    await context.clock.sleep(retryMs, { signal: context.background.signal }).catch(() => undefined)
  }
}

async function reconcileOne(context: ContainerContext, container: Container): Promise<void> {
  const { id, state } = container
  if (state.status === 'removing')
    return removeLocked(
      context,
      { ...container, state: { ...state, status: 'dead' } },
      { volumes: container.host.autoRemove },
    )
  context.forwarders.begin(container, { isOver: true })
  const directory = context.paths.shimDirectory(id)
  const shim = await adoptUndamaged(context, id)
  if (shim) return adopt(context, container, shim)
  if (isAlive(container)) return recordMissedExit(context, container)
  // A shim that was killed together with the daemon, before it was known to run.
  if (existsSync(directory)) await releaseCgroup(context, container)
  await releaseHostSide(context, id)
  if (state.status === 'restarting') commit(context, { ...container, state: { ...state, status: 'exited' } })
  const current = context.store.get(id)
  // The daemon was killed between its end, or its failed start, and its removal.
  const isOver = state.finishedAt !== undefined || state.exitCode !== 0
  if (container.host.autoRemove && isOver) await removeLocked(context, current, { volumes: true })
  else startLater(context, current)
}

/** A shim whose record is damaged cannot be found again: what it keeps is ended like what a dead one left. */
async function adoptUndamaged({ shims, paths, log }: ContainerContext, id: string): Promise<ShimHandle | undefined> {
  try {
    return await shims.adopt(paths.shimDirectory(id))
  } catch (error) {
    if (!isKind(error, 'data-loss')) throw error
    log.error({ container: id, error: messageOf(error) }, 'a shim cannot be found again: its container is ended')
    return undefined
  }
}

/** The shim lives: its container runs, or has ended without anybody to tell, or was never started. */
async function adopt(context: ContainerContext, container: Container, shim: ShimHandle): Promise<void> {
  const { state, pid, startedAt, paused, execs } = await shim.state()
  if (state === 'empty' || state === 'created') {
    // The daemon died between making and starting it: for the user it never ran.
    await shim.destroy()
    await releaseCgroup(context, container)
    return releaseRest(context, container)
  }
  const status = (await releaseHeld(context, container.id, { shim, paused })) ? 'paused' : 'running'
  const running: Container = {
    ...container,
    state: { ...container.state, status, pid, startedAt, exitCode: 0, error: '', health: healthOf(container) },
  }
  await endProbes(shim, container.id, execs)
  commit(context, running, ...(isAlive(container) ? [] : [['start'] as [string]]))
  await context.network.adoptSandbox(container.id, toSandboxRequest(context, container), shim)
  const task = { containerId: container.id, shim }
  context.tasks.add(task)
  context.forwarders.begin(running, { isOver: false })
  watchTask(context, task)
  if (status === 'running')
    context.health.begin(running, running.state.health?.results.at(-1)?.endedAt ?? startedAt ?? 0n)
}

/** Kept over the daemons; a start that was never recorded begins anew. */
function healthOf(container: Container): Health | undefined {
  return isAlive(container)
    ? container.state.health
    : healthCheckOf(container) && startingHealth(container.state.health)
}

/** Nobody waits any more for what an earlier daemon was probing. */
async function endProbes(shim: ShimHandle, id: string, execs: readonly { readonly id: string }[]): Promise<void> {
  const probes = execs.filter((exec) => isProbeId(id, exec.id))
  await Promise.allSettled(probes.map((exec) => shim.kill(exec.id, sigkill)))
}

/** It ended while no daemon was there: as its shim wrote down, or, without that, together with its shim. */
async function recordMissedExit(context: ContainerContext, container: Container): Promise<void> {
  const ending = await readEnding(context, container.id)
  await releaseCgroup(context, container)
  const after = await recordExitInTheEnd(context, container, { ...ending, startsAgain: 'with the daemon' })
  await releaseRest(context, container)
  await finish(context, after)
  const current = context.store.find(container.id)
  if (current) startLater(context, current)
}

/** As if a user had started it: counts begin anew. */
function startLater(context: ContainerContext, container: Container): void {
  const { id, host, state, restartCount } = container
  if (state.startedAt === undefined || !startsWithDaemon(host.restartPolicy, { ...state, restartCount })) return
  context.background.run('starting a container with the daemon', async () => {
    using _held = await context.locks.acquire(id)
    const current = context.store.find(id)
    if (!current || isAlive(current) || context.background.signal.aborted) return
    await startLocked(context, { ...current, state: { ...current.state, stoppedByUser: false }, restartCount: 0 })
  })
}

/** What has no record: made, or half removed, when the daemon died. One that cannot be removed is told of and keeps nobody waiting. */
async function removeOrphans(context: ContainerContext): Promise<void> {
  const { paths, store, snapshots, shims } = context
  const orphansIn = async (directory: string) =>
    (await namesIn(directory)).filter((name) => isFullId(name) && !store.find(name))
  const [halves, keepers] = await Promise.all([orphansIn(dirname(paths.directory('x'))), orphansIn(paths.shims)])
  const removals = [
    ...halves.map(async (id) => {
      await snapshots.remove(id)
      await rm(paths.directory(id), { recursive: true, force: true })
    }),
    ...keepers.map(async (id) => {
      const shim = await shims.adopt(join(paths.shims, id))
      await shim?.destroy()
      await releaseHostSide(context, id)
    }),
  ]
  for (const result of await Promise.allSettled(removals)) {
    if (result.status === 'rejected')
      context.log.error({ error: messageOf(result.reason) }, 'what a container left could not be removed')
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
