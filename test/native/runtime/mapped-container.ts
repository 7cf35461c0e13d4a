import { lchown, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { LinuxSpec, NamespaceType } from '#oci/runtime-spec.ts'
import { BusyboxRoot, type ContainerOptions } from './container.ts'

export const first = 200000
export const size = 65536
export const maps = [{ containerID: 0, hostID: first, size }]

export function namespaces(...types: NamespaceType[]): LinuxSpec['namespaces'] {
  return types.map((type) => ({ type }))
}

export const six = ['mount', 'pid', 'uts', 'ipc', 'cgroup', 'network'] as const

/** A container in a new user namespace, with the maps of these tests. */
export function mapped(options: ContainerOptions = {}): ContainerOptions {
  return {
    ...options,
    linux: { namespaces: namespaces(...six, 'user'), uidMappings: maps, gidMappings: maps, ...options.linux },
  }
}

/** A root whose files belong to the users of the map. */
export async function mappedRoot(): Promise<BusyboxRoot> {
  const root = await BusyboxRoot.make()
  await give(root.rootfs)
  return root
}

/** The image as an engine that remaps its users unpacks it. */
async function give(path: string): Promise<void> {
  await lchown(path, first, first)
  const entries = await readdir(path, { withFileTypes: true })
  for (const entry of entries) {
    if (entry.isDirectory()) await give(join(path, entry.name))
    else await lchown(join(path, entry.name), first, first)
  }
}
