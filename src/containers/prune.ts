import { isKind } from '#base/errors.ts'
import type { Filters } from '#base/filters.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './context.ts'
import { isRunning } from './lifecycle.ts'
import { remove } from './remove.ts'

export interface ContainerPrune {
  readonly ids: readonly string[]
  /** Of the layers that went. */
  readonly reclaimedBytes: number
}

/** Removes the containers that do not run.   @throws `invalid` for a bad filter */
export async function prune(context: ContainerContext, filters: Filters, signal: AbortSignal): Promise<ContainerPrune> {
  filters.allowOnly(['label', 'label!', 'until'])
  const until = filters.until(Date.now()) ?? Number.POSITIVE_INFINITY
  const ids: string[] = []
  let reclaimedBytes = 0
  for (const container of context.store.all()) {
    if (signal.aborted) break
    const { id, createdAt, config } = container
    if (isRunning(container) || Number(createdAt / 1_000_000n) > until) continue
    if (!filters.matchesLabels(config.labels) || !filters.lacksLabels(config.labels)) continue
    const bytes = await removeUnlessBusy(context, container)
    if (bytes === undefined) continue
    ids.push(id)
    reclaimedBytes += bytes
  }
  const attributes = { reclaimed: `${reclaimedBytes}` }
  context.events.publish({ type: 'container', action: 'prune', actor: { id: '', attributes } })
  return { ids, reclaimedBytes }
}

/** @returns the size of its layer; undefined when it was started or removed meanwhile */
async function removeUnlessBusy(context: ContainerContext, { id }: Container): Promise<number | undefined> {
  try {
    const bytes = await context.snapshots.contentBytes(id)
    await remove(context, id, { force: false, volumes: false, link: false })
    return bytes
  } catch (error) {
    if (isKind(error, 'conflict') || isKind(error, 'not-found')) return undefined
    throw error
  }
}
