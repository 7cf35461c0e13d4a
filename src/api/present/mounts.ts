import type { MountPoint as EngineMountPoint } from '#containers/container.ts'
import type { MountPoint } from '#contract/types.gen.ts'

/** `Mounts` of inspect; what `--tmpfs` made is only in HostConfig.Tmpfs, as with Docker. */
export function presentMountPoints(mounts: readonly EngineMountPoint[]): MountPoint[] {
  return mounts.filter(({ origin }) => origin !== 'tmpfs').map(presentMountPoint)
}

/** `Mounts` of list, which does not look where declared volumes are. */
export function presentMountSummaries(mounts: readonly EngineMountPoint[]): MountPoint[] {
  return presentMountPoints(mounts.map((one) => (one.origin === 'volumes' ? { ...one, source: '' } : one)))
}

function presentMountPoint(mount: EngineMountPoint): MountPoint {
  const { type, name, driver } = mount
  return {
    Type: type,
    ...(name !== '' && { Name: name }),
    Source: mount.source,
    Destination: mount.target,
    ...(driver !== '' && { Driver: driver }),
    Mode: mount.mode ?? '',
    RW: !mount.readonly,
    Propagation: type === 'bind' || type === 'image' ? mount.propagation || 'rprivate' : '',
  }
}
