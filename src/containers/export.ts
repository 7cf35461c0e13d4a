import { BerthError, internal, messageOf } from '#base/errors.ts'
import { publish } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import { checkStillThere, getReadable, readFiles } from './reading.ts'

/** The container's files as a tar; it may run meanwhile. What fails before the first bytes fails here.
 *  @throws `not-found`, `conflict` in Docker's words */
export async function exportFiles(
  context: ContainerContext,
  name: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const { id } = getReadable(context, name, 'export')
  const archive = context.rootfs.export(id, signal)
  try {
    const first = await readFiles(context, id, () => archive.next())
    return follow(context, id, { first, archive })
  } catch (cause) {
    const message = `Error exporting container ${name}: ${messageOf(cause)}`
    throw cause instanceof BerthError ? new BerthError(cause.kind, message, { cause }) : internal(message, { cause })
  }
}

interface Beginning {
  readonly first: IteratorResult<Uint8Array>
  readonly archive: AsyncGenerator<Uint8Array>
}

async function* follow(
  context: ContainerContext,
  id: string,
  { first, archive }: Beginning,
): AsyncGenerator<Uint8Array> {
  if (!first.done) yield first.value
  yield* archive
  checkStillThere(context, id)
  publish(context, context.store.get(id), 'export')
}
