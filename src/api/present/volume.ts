import { formatNanos } from '#base/timestamp.ts'
import type { Volume } from '#contract/types.gen.ts'
import type { VolumeUsage, VolumeView } from '#volumes/volume.ts'

export function presentVolume({ volume, mountpoint, scope, status }: VolumeView): Volume {
  const { name, driver, options, labels, createdAt } = volume
  return {
    // Whole seconds, as Docker reads them off the directory.
    ...(createdAt !== undefined && { CreatedAt: formatNanos(createdAt - (createdAt % 1_000_000_000n)) }),
    Driver: driver,
    Labels: labels ?? null,
    Mountpoint: mountpoint,
    Name: name,
    Options: options ?? null,
    Scope: scope,
    ...(status && { Status: status }),
  }
}

export function presentVolumeUsage(usage: VolumeUsage): Volume {
  return { ...presentVolume(usage), UsageData: { RefCount: usage.references, Size: usage.bytes } }
}
