import { BerthError, conflict, invalid } from '#base/errors.ts'
import { publish } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import { parseContainerName } from './names.ts'
import { toAttached } from './sandbox-request.ts'

/** @throws `invalid`, `conflict` in Docker's words */
export async function rename(context: ContainerContext, name: string, newName: string): Promise<void> {
  if (newName === '') throw invalid('Neither old nor new names may be empty')
  const { id } = context.store.get(name)
  using _held = await context.locks.acquire(id)
  const container = context.store.get(id)
  const wanted = asNewName(() => parseContainerName(newName.startsWith('/') ? newName : `/${newName}`))
  if (wanted === container.name) {
    throw invalid('Renaming a container with the same name as its current name')
  }
  if (container.state.status === 'removing' || container.state.status === 'dead') {
    throw conflict(`container ${id} is marked for removal and cannot be renamed`)
  }
  asNewName(() => context.store.checkName(wanted))
  context.store.database.transaction(() => {
    const renamed = { ...container, name: wanted }
    context.store.update(renamed)
    context.network.rename(toAttached(renamed))
    publish(context, renamed, 'rename', { oldName: `/${container.name}` })
  })
}

/** Docker puts these words before what is wrong with a name. */
function asNewName<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof BerthError)) throw cause
    throw new BerthError(cause.kind, `Error when allocating new name: ${cause.message}`, { cause })
  }
}
