import type { MountSetting } from '#containers/container.ts'
import type { Mount, MountPoint } from '#contract/types.gen.ts'

/** `Mounts` of list and inspect; what `--tmpfs` made is only in HostConfig.Tmpfs, as with Docker. */
export function presentMountPoints(mounts: readonly MountSetting[]): MountPoint[] {
  return mounts.filter(({ origin }) => origin !== 'tmpfs').map(presentMountPoint)
}

function presentMountPoint(mount: MountSetting): MountPoint {
  const bind = mount.type === 'bind'
  return {
    Type: mount.type,
    Source: mount.source,
    Destination: mount.target,
    Mode: mount.mode ?? '',
    RW: !mount.readonly,
    Propagation: bind ? mount.propagation || 'rprivate' : '',
  }
}

/** HostConfig.Mounts, as they were asked for. */
export function presentMount(mount: MountSetting): Mount {
  const { propagation, nonRecursive, createSource, tmpfsSizeBytes, tmpfsMode, tmpfsOptions } = mount
  const bind = propagation !== '' || nonRecursive || createSource
  const tmpfs = tmpfsSizeBytes !== undefined || tmpfsMode !== undefined || tmpfsOptions !== undefined
  return {
    Type: mount.type,
    ...(mount.source !== '' && { Source: mount.source }),
    Target: mount.target,
    ...(mount.readonly && { ReadOnly: true }),
    ...(bind && {
      BindOptions: {
        ...(propagation !== '' && { Propagation: propagation }),
        ...(nonRecursive && { NonRecursive: true }),
        ...(createSource && { CreateMountpoint: true }),
      },
    }),
    ...(tmpfs && {
      TmpfsOptions: {
        ...(tmpfsSizeBytes !== undefined && { SizeBytes: tmpfsSizeBytes }),
        ...(tmpfsMode !== undefined && { Mode: tmpfsMode }),
        ...(tmpfsOptions !== undefined && { Options: tmpfsOptions.split(',').map((one) => one.split('=')) }),
      },
    }),
  }
}
