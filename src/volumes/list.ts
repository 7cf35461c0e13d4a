import type { Filters } from '#base/filters.ts'
import type { VolumeDrivers } from './drivers.ts'
import type { Volume, VolumeView } from './volume.ts'

interface Ports {
  /** Those of which there are rows. */
  readonly known: readonly Volume[]
  readonly drivers: VolumeDrivers
  isUsed(name: string): boolean
}

/** Newest first. A driver that does not answer takes only its own volumes away, and is told in the warnings.   @throws `invalid` */
export async function listVolumes(
  { known, drivers, isUsed }: Ports,
  filters: Filters,
): Promise<{ readonly volumes: readonly VolumeView[]; readonly warnings: readonly string[] }> {
  filters.allowOnly(['dangling', 'driver', 'label', 'name'])
  const dangling = filters.boolean('dangling')
  const { volumes, warnings } = await drivers.list(known)
  const matching = volumes.filter(
    ({ volume: { name, driver, labels = {} } }) =>
      filters.matches('name', name) &&
      filters.matchesExactly('driver', driver) &&
      filters.matchesLabels(labels) &&
      (dangling === undefined || dangling !== isUsed(name)),
  )
  return { volumes: matching.toSorted(newestFirst), warnings }
}

function newestFirst({ volume: a }: VolumeView, { volume: b }: VolumeView): number {
  return Number((b.createdAt ?? 0n) - (a.createdAt ?? 0n)) || (a.name < b.name ? -1 : 1)
}
