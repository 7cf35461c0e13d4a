import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCgroups } from '#runtime/cgroup.ts'
import { openLibrary } from '#runtime/library.ts'

const library = await openLibrary({
  libraryPath: join(import.meta.dirname, '../../build/native/libberth.so'),
})
const cgroups = openCgroups(library)
let groups = 0

/** A group in every hierarchy, with a process in it. */
async function openGroup(path = `/berth-face-${process.pid}-${groups++}`) {
  // For each line it reads the shell grows by 8 MiB and says so.
  const program = 'while read -r _; do x="$x$(printf %8388608s)"; echo grown; done'
  const child = spawn('sh', ['-c', program], { stdio: ['pipe', 'pipe', 'ignore'] })
  const exit = once(child, 'exit')
  for (const { mount, controllers } of cgroups.layout().hierarchies) {
    await mkdir(mount + path)
    if (controllers.includes('cpuset')) {
      for (const file of ['cpuset.cpus', 'cpuset.mems'])
        await writeFile(`${mount}${path}/${file}`, await readFile(`${mount}/${file}`))
    }
    await writeFile(`${mount}${path}/cgroup.procs`, String(child.pid))
  }
  return {
    path,
    pid: child.pid,
    async grow() {
      child.stdin.write('\n')
      await once(child.stdout, 'data')
    },
    read: async (controller: string, file: string) => {
      const served = cgroups.layout().hierarchies.find(({ controllers }) => controllers.includes(controller))
      return (await readFile(`${served?.mount}${path}/${file}`, 'utf8')).trim()
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exit
      await cgroups.remove(path)
    },
  }
}

test('limits change while the group is in use, up and down', async () => {
  await using group = await openGroup()
  await cgroups.update(group.path, {
    memory: { limit: 64 << 20, swap: 64 << 20 },
    cpu: { shares: 512 },
    pids: { limit: 9 },
  })
  await cgroups.update(group.path, {
    memory: { limit: 128 << 20, swap: 256 << 20 },
  })
  expect(await group.read('memory', 'memory.limit_in_bytes')).toBe(String(128 << 20))
  await cgroups.update(group.path, {
    memory: { limit: 32 << 20, swap: 48 << 20 },
    pids: { limit: -1 },
  })
  expect(await group.read('memory', 'memory.memsw.limit_in_bytes')).toBe(String(48 << 20))
  expect(await group.read('cpu', 'cpu.shares')).toBe('512')
  expect(await group.read('pids', 'pids.max')).toBe('max')
})

test('a memory limit below what is in use is refused before anything changes, when the caller wants that', async () => {
  await using group = await openGroup()
  await group.grow()
  const memory = { limit: 4 << 20, checkBeforeUpdate: true }
  await expect(cgroups.update(group.path, { memory, pids: { limit: 9 } })).rejects.toThrow(/uses \d+ bytes of memory/)
  expect(await group.read('pids', 'pids.max')).toBe('max')
})

test('what the kernel refuses is told with the limits that are in force already', async () => {
  await using group = await openGroup()
  const refused = cgroups.update(group.path, {
    cpu: { shares: 300, quota: 1 },
    memory: { limit: 64 << 20 },
  })
  await expect(refused).rejects.toThrow(/^new limits of memory are in force.*cpu, v1.*cfs_quota_us/)
})

test('a mistake in the document, and a group that is not there, are told', async () => {
  await using group = await openGroup()
  await expect(cgroups.update(group.path, { memory: { limit: 'much' } })).rejects.toThrow(/^resources\.memory\.limit: /)
  await expect(cgroups.update('/berth-face-none', { pids: { limit: 3 } })).rejects.toMatchObject({ kind: 'not-found' })
})

test('the counters of a group are told, by every controller', async () => {
  await using group = await openGroup()
  await cgroups.update(group.path, { memory: { limit: 64 << 20 }, pids: { limit: 9 } })
  await group.grow()
  const { cpu, memory, pids, hugepages } = cgroups.stats(group.path)
  expect(pids).toEqual({ current: 1, limit: 9 })
  expect(memory).toMatchObject({ limit: 64 << 20, oomKills: 0 })
  expect(memory.usage).toBeGreaterThan(8 << 20)
  expect(memory.maxUsage).toBeGreaterThanOrEqual(memory.usage ?? Number.NaN)
  expect(memory.stat.total_rss).toBeGreaterThan(8 << 20)
  expect(cpu.total).toBeGreaterThan(0)
  expect(cpu.perCpu?.reduce((sum, each) => sum + each)).toBeGreaterThan(0)
  expect(cpu.throttledPeriods).toBe(0)
  expect(hugepages.map(({ size }) => size)).toContain('2MB')
})

test('counters take less than a millisecond', async () => {
  await using group = await openGroup()
  cgroups.stats(group.path)
  const { cpu, count } = { cpu: process.cpuUsage(), count: 200 }
  for (let i = 0; i < count; i++) cgroups.stats(group.path)
  const { user, system } = process.cpuUsage(cpu)
  expect((user + system) / count).toBeLessThan(1000)
})

test('the processes of a group and below it are listed', async () => {
  await using group = await openGroup()
  await using below = await openGroup(`${group.path}/below`)
  expect(cgroups.processes(group.path)).toEqual([group.pid, below.pid].toSorted((a = 0, b = 0) => a - b))
  expect(cgroups.processes(below.path)).toEqual([below.pid])
  expect(() => cgroups.processes('/berth-face-none')).toThrow(/berth-face-none/)
})

test.each([
  [{ memory: { kernel: 1 << 20 } }, /^resources\.memory: kernel cannot be limited: the kernel has dropped/],
  [{ memory: { kernelTCP: 1 } }, /kernelTCP cannot be limited/],
  [{ memory: { useHierarchy: false } }, /useHierarchy cannot be false/],
  [{ blockIO: { throttleReadBpsDevice: [{ major: 8 }] } }, /^resources\.blockIO\.throttleReadBpsDevice\[0\]\.minor/],
  [{ blockIO: { throttleReadBpsDevice: [{ major: 8, minor: 0 }] } }, /throttleReadBpsDevice\[0\]: rate is missing/],
  [
    { hugepageLimits: [{ pageSize: '../2MB', limit: 0 }] },
    /^resources\.hugepageLimits\[0\]\.pageSize: .* is not a size/,
  ],
  [{ hugepageLimits: [{ pageSize: '2MB' }] }, /hugepageLimits\[0\]: limit is missing/],
  [{ rdma: { 'a/b': { hcaHandles: 1 } } }, /is not the name of a device/],
  [{ rdma: { mlx5_0: { hcaHandles: -1 } } }, /^resources\.rdma\.mlx5_0\.hcaHandles/],
  [{ network: { priorities: [{ name: 'eth0 1', priority: 1 }] } }, /is not the name of a network link/],
  [{ network: { classID: 7 } }, /'net_cls', which exists in v1 only/],
  [{ unified: { 'a/b': '1' } }, /is not the name of a cgroup file/],
  [{ unified: { 'cgroup.procs': '1' } }, /'cgroup\.procs' is not a cgroup file that holds a limit/],
])('%j is refused', async (resources, sentence) => {
  await using group = await openGroup()
  await expect(cgroups.update(group.path, resources)).rejects.toThrow(sentence)
})

test('zeros that ask for nothing change nothing', async () => {
  await using group = await openGroup()
  const cpu = { shares: 0, quota: 0, period: 0, realtimeRuntime: 0, realtimePeriod: 0 }
  const memory = { limit: 0, reservation: 0, swap: 0, kernel: 0, kernelTCP: 0, disableOOMKiller: false }
  await cgroups.update(group.path, { cpu, memory, blockIO: { weight: 0, leafWeight: 0 }, network: { classID: 0 } })
  expect(await group.read('cpu', 'cpu.shares')).toBe('1024')
})
