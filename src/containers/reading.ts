import { conflict } from '#base/errors.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './context.ts'

/** A container whose files are all there.   @throws `not-found`, `conflict` in Docker's words   @param verb "export", "commit" */
export function getReadable({ store }: Pick<ContainerContext, 'store'>, name: string, verb: string): Container {
  const container = store.get(name)
  const { id, state } = container
  if (state.status === 'dead') throw conflict(`You cannot ${verb} container ${id} which is Dead`)
  if (state.status === 'removing') throw conflict(`You cannot ${verb} container ${id} which is being removed`)
  return container
}

/** Reads files of a container without its lock. What fails because it was removed meanwhile is told as that.   @throws `conflict` */
export async function readFiles<T>(context: Pick<ContainerContext, 'store'>, id: string, work: () => Promise<T>) {
  try {
    return await work()
  } catch (error) {
    checkStillThere(context, id)
    throw error
  }
}

/** For the end of a work without the lock, under which a removal may have taken files away.   @throws `conflict` */
export function checkStillThere({ store }: Pick<ContainerContext, 'store'>, id: string): void {
  const status = store.find(id)?.state.status
  if (status === undefined || status === 'removing' || status === 'dead') {
    throw conflict(`container ${id} was removed while its files were read`)
  }
}
