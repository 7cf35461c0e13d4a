import type { ContainerContext } from './context.ts'
import type { FileChange } from './ports.ts'
import { checkStillThere, readFiles } from './reading.ts'

/** What the container has changed in the files of its image.   @throws `not-found`, `conflict` when it goes meanwhile */
export async function changes(
  context: ContainerContext,
  name: string,
  signal: AbortSignal,
): Promise<readonly FileChange[]> {
  const { id } = context.store.get(name)
  const found = await readFiles(context, id, () => context.rootfs.changes(id, signal))
  checkStillThere(context, id)
  return found
}
