import { beforeAll, expect, test } from 'vitest'
import type { ContainerStats } from '#contract/types.gen.ts'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'
import { berthFor } from '../cli/client.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

const run = (...args: string[]) => daemon.runDetached(...args)
const statsOf = async (id: string, query = 'stream=0', version = '') =>
  (await daemon.json('GET', `${version}/containers/${id}/stats?${query}`)) as unknown as ContainerStats
const remove = (id: string) => daemon.request('DELETE', `/containers/${id}?force=1`)

/** As the docker CLI computes it. */
function cpuShare({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0)
  return (used / passed) * (now.online_cpus ?? 0)
}

test('a container that has just started tells its true share of the processors at once', async () => {
  const id = await run('--network', 'none', '-m', '64m', busybox, 'sh', '-c', 'while :; do :; done')
  await waitFor('it has used some time', async () => (await statsOf(id)).cpu_stats.cpu_usage.total_usage > 300_000_000)
  const stats = await statsOf(id)
  expect(Date.parse(stats.read) - Date.parse(stats.preread)).toBeGreaterThan(300)
  // Other work of the machine takes its part.
  expect(cpuShare(stats)).toBeGreaterThan(0.03)
  expect(cpuShare(stats)).toBeLessThan(1.3)
  expect(stats.memory_stats.limit).toBe(64 << 20)
  expect(stats.memory_stats.usage).toBeGreaterThan(0)
  expect(stats.pids_stats.current).toBe(1)
  expect(stats).toMatchObject({ id, name: expect.stringMatching(/^\//) })
  expect(stats.networks).toBeUndefined()
  await remove(id)
})

test('a stream gives an object a second, each compared with the one before, and ends with the container', async () => {
  const id = await run(busybox, 'sleep', '1000')
  const stream = await daemon.open('GET', `/containers/${id}/stats`)
  let text = ''
  const frames = () =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as ContainerStats)
  const ended = (async () => {
    for await (const chunk of stream) text += String(chunk)
  })()
  await waitFor('three frames', () => frames().length >= 3, { timeoutMs: 30_000 })
  const [first, second, third] = frames()
  expect(second?.preread).toBe(first?.read)
  expect(third?.preread).toBe(second?.read)
  expect(third?.precpu_stats).toEqual(second?.cpu_stats)
  expect(Object.keys(first?.networks ?? {})).toEqual(['eth0'])
  expect(await daemon.request('POST', `/containers/${id}/stop?t=0`)).toMatchObject({ status: 204 })
  await waitFor('a frame without anything', () => frames().at(-1)?.read === '0001-01-01T00:00:00Z')
  await remove(id)
  await ended
})

test('one shot has nothing to compare with, and older versions do not know it', async () => {
  const id = await run('--network', 'none', busybox, 'sleep', '1000')
  const shot = await statsOf(id, 'stream=0&one-shot=1')
  expect(shot).not.toHaveProperty('name')
  expect(shot.preread).toBe('0001-01-01T00:00:00Z')
  expect(shot.precpu_stats).not.toHaveProperty('system_cpu_usage')
  expect(shot.cpu_stats.online_cpus).toBeGreaterThan(0)
  const old = await statsOf(id, 'stream=0&one-shot=1', '/v1.40')
  expect(old.precpu_stats.online_cpus).toBeGreaterThan(0)
  // Clients subtract processor by processor, where cgroup v1 counts so.
  expect(old.precpu_stats.cpu_usage.percpu_usage?.length).toBe(old.cpu_stats.cpu_usage.percpu_usage?.length)
  const refused = await daemon.request('GET', `/containers/${id}/stats?one-shot=1`)
  expect([refused.status, refused.body]).toEqual([400, '{"message":"cannot have stream=true and one-shot=true"}\n'])
  await remove(id)
})

test('what does not run has used nothing, and what is paused is told of', async () => {
  const { Id } = await daemon.json('POST', '/containers/create', { Image: busybox })
  expect(await statsOf(String(Id))).toMatchObject({
    id: Id,
    read: '0001-01-01T00:00:00Z',
    pids_stats: {},
    memory_stats: {},
    blkio_stats: { io_service_bytes_recursive: null },
  })
  await remove(String(Id))
  const id = await run('--network', 'none', busybox, 'sleep', '1000')
  await daemon.request('POST', `/containers/${id}/pause`)
  expect((await statsOf(id)).pids_stats.current).toBe(1)
  await remove(id)
  expect((await daemon.request('GET', '/containers/nobody/stats?stream=0')).status).toBe(404)
})

test('counters of an earlier run are not compared with', async () => {
  const id = await run('--network', 'none', busybox, 'sleep', '1000')
  const { read } = await statsOf(id)
  expect((await daemon.request('POST', `/containers/${id}/restart?t=0`)).status).toBe(204)
  const again = await statsOf(id)
  expect(Date.parse(again.preread)).toBeGreaterThan(Date.parse(read))
  expect(again.precpu_stats.cpu_usage.total_usage).toBe(0)
  await remove(id)
})

test('the docker CLI shows a table of what runs, and of everything', async () => {
  const id = await run('--network', 'none', '--name', 'measured', '-m', '64m', busybox, 'sleep', '1000')
  await daemon.json('POST', '/containers/create?name=unstarted', { Image: busybox })
  const { stdout } = await daemon.docker('stats', '--no-stream')
  expect(stdout).toMatch(/^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS\n/)
  expect(stdout).toMatch(new RegExp(`${id.slice(0, 12)} +measured +[\\d.]+% +[\\d.]+[KM]iB / 64MiB .* 1\n`))
  const all = await daemon.docker('stats', '--no-stream', '-a')
  expect(all.stdout).toMatch(/unstarted +0.00% +0B \/ 0B +0.00% +0B \/ 0B +0B \/ 0B +0\n/)
  await remove('measured')
  await remove('unstarted')
})

test("our own client says what docker's says, and draws on a terminal", async () => {
  const berth = berthFor(daemon)
  await run('--network', 'none', '--name', 'shown', '-m', '64m', busybox, 'sleep', '1000')
  await daemon.json('POST', '/containers/create?name=unstarted', { Image: busybox })
  const stable = '{{.Container}} {{.ID}} {{.Name}} {{.PIDs}} {{.NetIO}} {{.BlockIO}}'
  const lines = [
    ['stats', '--no-stream', '-a', '--format', stable],
    ['stats', '--no-stream', '--no-trunc', '--format', `table ${stable}`, 'shown', 'unstarted'],
    ['stats', '--no-stream', '--format', 'json', 'unstarted'],
    ['stats', '--no-stream', 'unstarted'],
    ['stats', '--no-stream', 'nobody'],
  ]
  for (const line of lines) expect(await berth(...line), line.join(' ')).toEqual(await daemon.docker(...line))
  await using terminal = await berth.onTerminal('stats', 'shown')
  await terminal.until('\x1b[HCONTAINER ID')
  const frame = await terminal.until('\x1b[J\x1b[H')
  expect(frame).toContain('PIDS\x1b[K')
  expect(frame).toContain('shown')
  expect(frame).toContain('/ 64MiB')
  await remove('shown')
  await remove('unstarted')
})
