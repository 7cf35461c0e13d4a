import { isKind, messageOf } from '#base/errors.ts'
import { Filters } from '#base/filters.ts'
import { isFullId } from '#base/ids.ts'
import type { Logger } from '#base/log.ts'
import type { ContainerStore } from '#containers/container-store.ts'
import type { EventBus } from '#events/bus.ts'
import type { Snapshotter } from '#images/snapshots/snapshotter.ts'
import type { ImageService } from '#images/store/service.ts'

export interface GarbagePorts {
  readonly events: EventBus
  readonly images: ImageService
  readonly log: Logger
}

/** A container's own layer without its record: the daemon was killed between the two. Its directory may be gone, or never have been written. */
export async function removeOrphanedLayers(
  snapshots: Snapshotter,
  containers: Pick<ContainerStore, 'find'>,
  report: (error: unknown) => void,
): Promise<void> {
  for (const { key, kind } of snapshots.list()) {
    // Of a container itself, or of an image that it has mounted.
    const [owner = ''] = key.split('-image:', 1)
    if (kind !== 'committed' && isFullId(owner) && !containers.find(owner)) await snapshots.remove(key).catch(report)
  }
}

/** When a container goes whose image went before it, its layers are nobody's any more: they are collected. */
export function collectAfterRemovals({ events, images, log }: GarbagePorts): AsyncDisposable {
  const stopped = new AbortController()
  const filters = new Filters(
    new Map([
      ['type', ['container']],
      ['event', ['destroy']],
    ]),
  )
  const destroyed = events.subscribe({ filters }, stopped.signal)
  // One failure (a full disk) is no reason to stop collecting: the next removal tries again.
  const failed = (error: unknown) =>
    log.error({ error: messageOf(error) }, 'collecting what removed containers left failed')
  const done = (async () => {
    for await (const { actor } of destroyed) {
      if (!isListed(images, actor.attributes.image ?? '')) await images.collectGarbage().catch(failed)
    }
  })().catch(failed)
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort()
      await done
    },
  }
}

/** By the name that the container was made with: when it leads elsewhere by now, a look too many is all that it costs. */
function isListed(images: ImageService, name: string): boolean {
  try {
    images.get(name)
    return true
  } catch (error) {
    if (isKind(error, 'not-found') || isKind(error, 'invalid')) return false
    throw error
  }
}
