import { Filters } from '#base/filters.ts'
import type { ContainerService } from '#containers/service.ts'
import type { Snapshotter } from '#images/snapshots/snapshotter.ts'
import type { ImageService } from '#images/store/service.ts'
import type { VolumeService } from '#volumes/service.ts'
import type { DiskUsage, UsageKind } from './engine.ts'

export interface UsagePorts {
  readonly containers: ContainerService
  readonly images: ImageService
  readonly snapshots: Snapshotter
  readonly volumes: VolumeService
}

/** What the asked kinds of objects take. Layers count once, however many images have them, and also where only a container has them still. */
export async function diskUsage(
  { containers, images, snapshots, volumes }: UsagePorts,
  kinds: ReadonlySet<UsageKind>,
): Promise<DiskUsage> {
  const everything = { all: true, limit: undefined, size: true, filters: new Filters() }
  return {
    layersBytes: kinds.has('image') ? layersBytes(snapshots) : 0,
    images: kinds.has('image') ? images.listWithSharing(new Filters()) : undefined,
    containers: kinds.has('container') ? await containers.list(everything) : undefined,
    volumes: kinds.has('volume') ? await volumes.usage() : undefined,
    hasBuildCache: kinds.has('build-cache'),
  }
}

function layersBytes(snapshots: Snapshotter): number {
  const layers = snapshots.list().filter(({ kind }) => kind === 'committed')
  return layers.reduce((sum, { usage }) => sum + (usage?.bytes ?? 0), 0)
}
