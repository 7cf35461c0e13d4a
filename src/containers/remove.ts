import { rm } from 'node:fs/promises'
import { conflict, isKind } from '#base/errors.ts'
import type { Container } from './container.ts'
import { publish } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import { isAlive, transition } from './lifecycle.ts'
import { imageMountKey } from './mounts/image-mounts.ts'
import { volumePointsOf } from './mounts/mount-points.ts'
import { killAndWait, killDeadlineMs, settlesWithin } from './stop.ts'

export interface RemoveOptions {
  readonly force: boolean
  /** Its volumes that nobody named, too. */
  readonly volumes: boolean
  readonly link: boolean
}

/** @throws `conflict` in Docker's words when it runs and `force` is not set, or is being removed already */
export async function remove(
  context: ContainerContext,
  name: string,
  { force, volumes }: RemoveOptions,
): Promise<void> {
  const { id } = context.store.get(name)
  for (;;) {
    {
      using _held = await context.locks.acquire(id)
      const container = context.store.get(id)
      if (container.state.status === 'removing') throw conflict(`removal of container ${name} is already in progress`)
      checkRemovable(container, force)
      if (!isAlive(container)) {
        context.restarts.forget(id)
        await removeLocked(context, container, { volumes })
        return
      }
    }
    // The exit is recorded under the lock, which therefore is free meanwhile; a restart policy may not interfere.
    if (await killForRemoval(context, id)) return
  }
}

function checkRemovable({ name, state }: Container, force: boolean): void {
  if (force) return
  if (state.status === 'paused') {
    throw conflict(`cannot remove container "${name}": container is paused and must be unpaused first`)
  }
  if (state.status === 'running' || state.status === 'restarting') {
    throw conflict(
      `cannot remove container "${name}": container is ${state.status}: stop the container before removing or force remove`,
    )
  }
}

/** @returns true when the container is gone already: it removes itself. */
async function killForRemoval(context: ContainerContext, id: string): Promise<boolean> {
  const container = context.store.find(id)
  if (!container) return true
  if (!isAlive(container)) return false
  context.store.update({ ...container, state: { ...container.state, stoppedByUser: true } })
  const removed = container.host.autoRemove ? context.exits.next(id, 'removed') : undefined
  await killWithShim(context, container)
  if (!removed) return false
  await removed
  return true
}

/** A shim that does not answer is ended together with its container: removal is forced. */
async function killWithShim(context: ContainerContext, container: Container): Promise<void> {
  const exited = context.exits.next(container.id, 'exit')
  try {
    await killAndWait(context, container, exited)
  } catch (error) {
    const task = context.tasks.find(container.id)
    if (!isKind(error, 'timeout') || !task) throw error
    await task.shim.terminate()
    if (!(await settlesWithin(exited, killDeadlineMs))) throw error
  }
}

/**
 * Takes a container that does not run out of the world. The caller holds its lock. Its files follow in the background: a killed daemon
 * finds them again without a record and deletes them when it starts.
 */
export async function removeLocked(
  context: ContainerContext,
  container: Container,
  { volumes }: Pick<RemoveOptions, 'volumes'>,
): Promise<void> {
  const { id, state } = container
  const anonymous = volumes ? volumePointsOf(container).filter((point) => point.anonymous) : []
  const images = container.mounts.filter(({ type, origin }) => type === 'image' && origin !== 'other-container')
  transition(container, 'remove')
  context.attaches.finish(id)
  context.execs.forget(id)
  const deleteVolumes = context.store.database.transaction(() => {
    const names = anonymous.map(({ name }) => name)
    const discarded = context.volumes.discard(names, id)
    context.store.delete(id)
    context.network.forgetContainer(id)
    publish(context, container, 'destroy')
    return discarded
  })
  context.background.run(`deleting the files of container ${id}`, async () => {
    await context.forwarders.finish(id)
    await context.snapshots.remove(id)
    for (const { target } of images) await context.snapshots.remove(imageMountKey(id, target))
    await rm(context.paths.directory(id), { recursive: true, force: true })
    await deleteVolumes()
  })
  context.exits.tellRemoved(id, { code: state.exitCode, error: undefined })
}
