import type { HooksSpec, RuntimeSpec } from '#oci/runtime-spec.ts'
import { hostDevice } from '../spec/devices.ts'
import { mergeEnvironment } from '../spec/process.ts'
import type { ContainerEdits, DeviceNode } from './spec-file.ts'

/** The config.json with the devices in it.   @throws `invalid` in Docker's words for a device that the host has not */
export function applyEdits(spec: RuntimeSpec, edits: readonly ContainerEdits[]): RuntimeSpec {
  if (edits.length === 0) return spec
  const { process, linux } = spec
  const nodes = edits.flatMap(({ deviceNodes }) => deviceNodes)
  const devices = nodes.map((node) => toDevice(node, process.user))
  const mounts = edits.flatMap((edit) => edit.mounts)
  const gids = edits.flatMap(({ additionalGids }) => additionalGids).filter((gid) => gid !== 0)
  return {
    ...spec,
    process: {
      ...process,
      env: edits.reduce((env, edit) => mergeEnvironment(env, edit.env), [...process.env]),
      user: { ...process.user, additionalGids: [...new Set([...(process.user.additionalGids ?? []), ...gids])] },
    },
    mounts: [
      ...spec.mounts.filter(({ destination }) => !mounts.some((mount) => mount.destination === destination)),
      ...mounts,
    ],
    hooks: hooksOf(edits),
    linux: {
      ...linux,
      devices: [...(linux.devices ?? []).filter(({ path }) => !nodes.some((node) => node.path === path)), ...devices],
      resources: {
        ...linux.resources,
        devices: [
          ...(linux.resources?.devices ?? []),
          ...devices.map(({ type, major, minor }, index) => ({
            allow: true,
            type: type === 'b' ? ('b' as const) : ('c' as const),
            major,
            minor,
            access: nodes[index]?.permissions ?? 'rwm',
          })),
        ],
      },
    },
  }
}

function toDevice({ path, hostPath, fileMode, uid, gid }: DeviceNode, user: { uid: number; gid: number }) {
  const device = hostDevice(path, hostPath)
  return {
    ...device,
    ...(fileMode !== undefined && { fileMode: fileMode & 0o777 }),
    uid: uid ?? (user.uid > 0 ? user.uid : (device.uid ?? 0)),
    gid: gid ?? (user.gid > 0 ? user.gid : (device.gid ?? 0)),
  }
}

function hooksOf(edits: readonly ContainerEdits[]): HooksSpec {
  const byKind = Map.groupBy(
    edits.flatMap(({ hooks }) => hooks),
    ([kind]) => kind,
  )
  return Object.fromEntries([...byKind].map(([kind, hooks]) => [kind, hooks.map(([, hook]) => hook)]))
}
