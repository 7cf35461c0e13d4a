import { rm, writeFile } from 'node:fs/promises'
import { isKind } from '#base/errors.ts'
import type { ContainerContext } from './context.ts'
import { pause, unpause } from './pause.ts'
import type { ShimHandle } from './ports.ts'

/**
 * Pauses a container that runs until the result is disposed of. A mark beside its log tells a next daemon that nobody else asked for the pause,
 * should this one be killed meanwhile.
 */
export async function holdStill(context: ContainerContext, id: string): Promise<AsyncDisposable | undefined> {
  if (context.store.get(id).state.status !== 'running') return undefined
  const mark = context.paths.pauseMark(id)
  await writeFile(mark, '')
  try {
    await pause(context, id)
  } catch (error) {
    await rm(mark, { force: true })
    // It ended, or was removed, or somebody else paused it, since we looked.
    if (isKind(error, 'conflict') || isKind(error, 'not-found')) return undefined
    throw error
  }
  return {
    async [Symbol.asyncDispose]() {
      try {
        await unpause(context, id)
      } catch (error) {
        // It was killed or let go meanwhile.
        if (!isKind(error, 'conflict') && !isKind(error, 'not-found')) throw error
      }
      await rm(mark, { force: true })
    },
  }
}

/** Lets a container go that a killed daemon held.   @returns whether it is still paused */
export async function releaseHeld(
  { paths }: Pick<ContainerContext, 'paths'>,
  id: string,
  { shim, paused }: { readonly shim: ShimHandle; readonly paused: boolean },
): Promise<boolean> {
  const mark = paths.pauseMark(id)
  const isMarked = await rm(mark).then(
    () => true,
    () => false,
  )
  if (!isMarked || !paused) return paused
  await shim.resume()
  return false
}
