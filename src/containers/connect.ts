import { conflict } from '#base/errors.ts'
import type { Attachment } from '#network/attachment.ts'
import type { ContainerContext } from './context.ts'
import { isAlive } from './lifecycle.ts'
import { toAttached } from './sandbox-request.ts'

/** Attaches a container to a further network: at once when it runs, else at its next start.   @throws `not-found`, `forbidden`, `invalid`, `conflict` in Docker's words */
export async function connect(
  context: ContainerContext,
  name: string,
  { network, wanted }: { readonly network: string; readonly wanted: Attachment },
): Promise<void> {
  const { id } = context.store.get(name)
  using _held = await context.locks.acquire(id)
  const container = context.store.get(id)
  refuseGoing(container)
  await context.network.connect(network, toAttached(container), { wanted, running: runs(context, id) })
}

/** @throws `not-found`, `invalid`, `internal` in Docker's words */
export async function disconnect(context: ContainerContext, name: string, network: string): Promise<void> {
  const { id } = context.store.get(name)
  using _held = await context.locks.acquire(id)
  const container = context.store.get(id)
  refuseGoing(container)
  await context.network.disconnect(network, toAttached(container))
}

function refuseGoing({ id, state }: { readonly id: string; readonly state: { readonly status: string } }): void {
  if (state.status === 'removing' || state.status === 'dead') {
    throw conflict(`container ${id} is marked for removal and cannot be connected or disconnected to the network`)
  }
}

function runs(context: ContainerContext, id: string): boolean {
  return isAlive(context.store.get(id)) && context.tasks.find(id) !== undefined
}
