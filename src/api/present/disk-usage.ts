import { systemClock } from '#base/clock.ts'
import type { Container } from '#containers/container.ts'
import type { DiskUsage as WireUsage } from '#contract/types.gen.ts'
import type { ApiVersion } from '#contract/versions.ts'
import type { DiskUsage } from '#engine/engine.ts'
import { type ImageFacts, presentContainerSummary } from './container.ts'
import { presentImageSummary, presentNamesOrNull } from './image.ts'
import { presentVolumeUsage } from './volume.ts'

/** Kinds that were not asked for are null. */
export function presentDiskUsage(
  usage: DiskUsage,
  factsOf: (container: Container) => ImageFacts,
  version: ApiVersion,
): WireUsage {
  const now = systemClock.nowNanos()
  const imageOptions = { version, withSharedSize: true, withContainers: true }
  return {
    LayersSize: usage.layersBytes,
    Images:
      usage.images?.map((one) => ({ ...presentImageSummary(one, imageOptions), ...presentNamesOrNull(one.image) })) ??
      null,
    Containers:
      usage.containers?.map((view) => presentContainerSummary(view, factsOf(view.container), { version, now })) ?? null,
    Volumes: usage.volumes?.map(presentVolumeUsage) ?? null,
    BuildCache: usage.hasBuildCache ? [] : null,
  }
}
