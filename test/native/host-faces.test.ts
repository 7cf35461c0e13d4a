import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Cgroups, openCgroups } from '#runtime/cgroup.ts'
import { openLibrary } from '#runtime/library.ts'
import { openNetlink } from '#runtime/netlink.ts'
import { openDirectoryQuotas } from '#runtime/quota.ts'
import { tempDirectory } from '#test/support/temp.ts'

const library = await openLibrary({ libraryPath: join(import.meta.dirname, '../../build/native/libberth.so') })

/** The group's directory in every hierarchy. */
const directories = (cgroups: Cgroups, path: string) => cgroups.layout().hierarchies.map(({ mount }) => mount + path)
const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

test('the layout tells every mounted hierarchy, and who serves memory', async () => {
  const { hierarchies, controllers, version } = openCgroups(library).layout()
  const mounted = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
  expect(hierarchies.map(({ mount }) => mount).sort()).toEqual(mounted.map((line) => line.split(' ')[4]).sort())
  expect(controllers.memory).toBe(version)
})

test('a group is killed and removed with all below it', async () => {
  const cgroups = openCgroups(library)
  const path = `/berth-face-${process.pid}`
  const below = directories(cgroups, `${path}/below`)
  const child = spawn('sleep', ['600'], { stdio: 'ignore' })
  const exit = once(child, 'exit')
  for (const directory of below) {
    await mkdir(directory, { recursive: true })
    if (directory.startsWith('/sys/fs/cgroup/cpuset')) {
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        const value = await readFile(`/sys/fs/cgroup/cpuset/${file}`, 'utf8')
        await writeFile(join(directory, '..', file), value)
        await writeFile(join(directory, file), value)
      }
    }
    await writeFile(`${directory}/cgroup.procs`, String(child.pid))
  }
  await cgroups.kill(path)
  expect(await exit).toEqual([null, 'SIGKILL'])
  await cgroups.remove(path)
  expect(await Promise.all(below.map(exists))).not.toContain(true)
})

test('killing and removing what is not there is nothing', async () => {
  const cgroups = openCgroups(library)
  await cgroups.kill('/berth-face-none/x')
  await cgroups.remove('/berth-face-none/x')
  await expect(cgroups.remove('/../x')).rejects.toMatchObject({ kind: 'invalid' })
})

test('a filesystem without project quotas has no limits: none to set, and none to lift', async () => {
  const quotas = openDirectoryQuotas(library)
  await using directory = await tempDirectory('berth-quota-', '/dev/shm')
  expect(await quotas.isEnforced(directory.path)).toBe(false)
  await expect(quotas.limit(directory.path, { bytes: 1 << 20, wanted: 1 })).rejects.toThrow(directory.path)
  await quotas.lift(directory.path)
  await quotas.lift(join(directory.path, 'gone'))
})

test('links and routes of this namespace are told', () => {
  const netlink = openNetlink(library)
  const loopback = netlink.links().find(({ name }) => name === 'lo')
  expect(loopback).toMatchObject({ kind: '', master: 0, index: 1 })
  for (const { to, link } of netlink.routes()) {
    expect(to).toMatch(/^[0-9a-f.:]+\/\d+$/)
    expect(netlink.links().map(({ name }) => name)).toContain(link)
  }
})

test('a link that is no bridge is not taken for one', async () => {
  await expect(openNetlink(library).ensureBridge('lo', [], 0)).rejects.toThrow(/lo exists and is no bridge/)
})
