/** Containers in a user namespace of their own: who they are outside, and that nothing inside notices. */
import { lchown, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LinuxSpec, NamespaceType } from '#oci/runtime-spec.ts'
import { BusyboxRoot, type ContainerOptions } from './container.ts'

const first = 200000
const size = 65536
const maps = [{ containerID: 0, hostID: first, size }]
let root: BusyboxRoot

beforeAll(async () => {
  root = await BusyboxRoot.make()
  await give(root.rootfs)
})

afterAll(() => root[Symbol.asyncDispose]())

/** The image as an engine that remaps its users unpacks it. */
async function give(path: string): Promise<void> {
  await lchown(path, first, first)
  const entries = await readdir(path, { withFileTypes: true })
  for (const entry of entries) {
    if (entry.isDirectory()) await give(join(path, entry.name))
    else await lchown(join(path, entry.name), first, first)
  }
}

function namespaces(...types: NamespaceType[]): LinuxSpec['namespaces'] {
  return types.map((type) => ({ type }))
}

const six = ['mount', 'pid', 'uts', 'ipc', 'cgroup', 'network'] as const

function mapped(options: ContainerOptions = {}): ContainerOptions {
  return {
    ...options,
    linux: { namespaces: namespaces(...six, 'user'), uidMappings: maps, gidMappings: maps, ...options.linux },
  }
}

test('root inside is nobody outside, and has what it makes', async () => {
  const { failures, output } = await root.run(
    mapped({ run: 'id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map; touch /made; stat -c %u /made' }),
  )
  expect(failures).toEqual([])
  const line = `         0     ${first}      ${size}`
  expect(output.split('\n')).toEqual(['0', '0', line, line, '0', ''])
  const { uid, gid } = await stat(join(root.rootfs, 'made'))
  expect([uid, gid]).toEqual([first, first])
})
