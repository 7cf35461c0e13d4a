import { conflict } from '#base/errors.ts'
import { commit } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import { unprobedHealth } from './health/state.ts'
import { isAlive, transition } from './lifecycle.ts'
import type { Task } from './task.ts'

/** @throws `conflict` in Docker's words */
export async function pause(context: ContainerContext, name: string): Promise<void> {
  const { id } = context.store.get(name)
  using _held = await context.locks.acquire(id)
  const container = context.store.get(id)
  if (container.state.status === 'paused') throw conflict(`Container ${id} is already paused`)
  if (container.state.status === 'restarting') {
    throw conflict(`Container ${id} is restarting, wait until the container is running`)
  }
  if (!isAlive(container)) throw conflict(`container ${id} is not running`)
  await taskOf(context, id).shim.pause()
  context.health.end(id)
  const health = unprobedHealth(container.state.health)
  const state = { ...container.state, status: transition(container, 'pause'), health }
  commit(context, { ...container, state }, ['pause'])
}

/** @throws `conflict` in Docker's words */
export async function unpause(context: ContainerContext, name: string): Promise<void> {
  const { id } = context.store.get(name)
  using _held = await context.locks.acquire(id)
  const container = context.store.get(id)
  if (container.state.status !== 'paused') throw conflict(`Container ${id} is not paused`)
  await taskOf(context, id).shim.resume()
  const resumed = { ...container, state: { ...container.state, status: transition(container, 'unpause') } }
  commit(context, resumed, ['unpause'])
  context.health.begin(resumed, context.clock.nowNanos())
}

/** The task of a container whose record says that it lives.   @throws `conflict` when it is ending right now */
function taskOf({ tasks }: ContainerContext, id: string): Task {
  const task = tasks.find(id)
  if (!task) throw conflict(`container ${id} is not running`)
  return task
}

/** The same for callers without the lock: whoever starts, ends or adopts the container right now is waited for. */
export async function settledTaskOf(context: ContainerContext, id: string): Promise<Task> {
  const found = context.tasks.find(id)
  if (found) return found
  using _held = await context.locks.acquire(id)
  return taskOf(context, id)
}
