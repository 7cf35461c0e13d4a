import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'
import { berthFor } from '../cli/client.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

const sleeper = (...args: string[]) => daemon.runDetached('--network', 'none', ...args, busybox, 'sleep', '1000')
const update = async (id: string, body: object) => {
  const answer = await daemon.request('POST', `/containers/${id}/update`, body)
  return [answer.status, (JSON.parse(answer.body) as { message?: string }).message]
}
const hostOf = async (id: string) =>
  (await daemon.json('GET', `/containers/${id}/json`)).HostConfig as Record<string, unknown>
const remove = (id: string) => daemon.request('DELETE', `/containers/${id}?force=1`)

/** What the container itself sees of its group: v1 and v2 by different names. */
async function limit(id: string, v1: string, v2: string): Promise<string> {
  const script = `cat /sys/fs/cgroup/${v1} 2>/dev/null || cat /sys/fs/cgroup/${v2}`
  return (await daemon.docker('exec', id, 'sh', '-c', script)).stdout.trim()
}
const memoryLimit = (id: string) => limit(id, 'memory/memory.limit_in_bytes', 'memory.max')
const pidsLimit = (id: string) => limit(id, 'pids/pids.max', 'pids.max')

test('limits of a running container change at once, stay over a restart, and are told', async () => {
  const id = await sleeper('-m', '64m', '--pids-limit', '50')
  expect((await hostOf(id)).MemorySwap).toBe(128 << 20)
  expect(await update(id, { Memory: 100 << 20, PidsLimit: 20, CpuShares: 512 })).toEqual([200, undefined])
  expect(await memoryLimit(id)).toBe(String(100 << 20))
  expect(await pidsLimit(id)).toBe('20')
  expect(await update(id, { Memory: 200 << 20, MemorySwap: -1, PidsLimit: -1 })).toEqual([200, undefined])
  expect(await memoryLimit(id)).toBe(String(200 << 20))
  expect(await pidsLimit(id)).toBe('max')
  await daemon.request('POST', `/containers/${id}/restart?t=0`)
  expect(await memoryLimit(id)).toBe(String(200 << 20))
  expect(await hostOf(id)).toMatchObject({ Memory: 200 << 20, MemorySwap: -1, CpuShares: 512, PidsLimit: 0 })
  const events = await daemon.request(
    'GET',
    `/events?since=0&until=${Date.now() / 1000 + 0.01}&filters={"event":["update"]}`,
  )
  expect(events.body.trim().split('\n')).toHaveLength(2)
  await remove(id)
})

test('a container that does not run, or is paused, is changed too', async () => {
  const { Id } = await daemon.json('POST', '/containers/create', {
    Image: busybox,
    Cmd: ['sleep', '1000'],
    HostConfig: { NetworkMode: 'none' },
  })
  const id = String(Id)
  expect(await update(id, { Memory: 64 << 20, MemorySwap: 64 << 20, NanoCpus: 500_000_000 })).toEqual([200, undefined])
  await daemon.request('POST', `/containers/${id}/start`)
  expect(await memoryLimit(id)).toBe(String(64 << 20))
  await daemon.request('POST', `/containers/${id}/pause`)
  expect(await update(id, { Memory: 32 << 20 })).toEqual([200, undefined])
  await daemon.request('POST', `/containers/${id}/unpause`)
  expect(await memoryLimit(id)).toBe(String(32 << 20))
  await remove(id)
})

test('what contradicts is refused as by dockerd, and changes nothing', async () => {
  const id = await sleeper('-m', '64m', '--cpus', '0.5')
  const cannot = `Cannot update container ${id}: `
  expect(await update(id, { Memory: 100 })).toEqual([400, 'Minimum memory limit allowed is 6MB'])
  expect(await update(id, { Memory: 512 << 20 })).toEqual([
    409,
    `${cannot}Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time`,
  ])
  expect(await update(id, { CpuQuota: 50_000 })).toEqual([
    409,
    `${cannot}Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set`,
  ])
  expect((await update(id, { CpusetCpus: '7777' }))[0]).toBe(400)
  expect((await update(id, { RestartPolicy: { Name: 'no', MaximumRetryCount: 3 } }))[0]).toBe(400)
  expect(await update('nobody', {})).toEqual([404, 'No such container: nobody'])
  expect(await update(id, { Memory: 'x' })).toEqual([
    400,
    'invalid JSON: json: cannot unmarshal string into Go struct field UpdateConfig.Memory of type int64',
  ])
  expect(await hostOf(id)).toMatchObject({ Memory: 64 << 20, NanoCpus: 500_000_000, CpuQuota: 0 })
  expect(await memoryLimit(id)).toBe(String(64 << 20))
  await remove(id)
})

test('what the kernel refuses is told, and the record stays as it was', async () => {
  const id = await sleeper('-m', '256m')
  const fill = 'dd if=/dev/zero of=/dev/shm/full bs=1M count=50'
  expect((await daemon.docker('exec', id, 'sh', '-c', fill)).code).toBe(0)
  const [status, message] = await update(id, { Memory: 8 << 20, MemorySwap: 8 << 20 })
  const seen = await memoryLimit(id)
  // cgroup v2 takes the limit and kills; v1 refuses it.
  if (status === 200) expect(seen).toBe(String(8 << 20))
  else {
    expect(message).toMatch(new RegExp(`^Cannot update container ${id}: .*memory`))
    expect(await hostOf(id)).toMatchObject({ Memory: 256 << 20 })
    expect(seen).toBe(String(256 << 20))
  }
  await remove(id)
})

test('a restart policy that comes later works', async () => {
  const id = await sleeper()
  expect(await update(id, { RestartPolicy: { Name: 'always' } })).toEqual([200, undefined])
  const pidOf = async () => ((await daemon.json('GET', `/containers/${id}/json`)).State as { Pid: number }).Pid
  const pid = await pidOf()
  process.kill(pid, 'SIGKILL')
  await waitFor('it runs again', async () => ![0, pid].includes(await pidOf()))
  await remove(id)
  const brief = await sleeper('--rm')
  expect(await update(brief, { RestartPolicy: { Name: 'always' } })).toEqual([
    409,
    `Cannot update container ${brief}: Restart policy cannot be updated because AutoRemove is enabled for the container`,
  ])
  await remove(brief)
})

test("docker's client and ours change the same", async () => {
  const berth = berthFor(daemon)
  const id = await sleeper('--name', 'changed')
  expect(await daemon.docker('update', '--cpus', '0.5', '--memory', '64m', '--memory-swap', '64m', 'changed')).toEqual({
    code: 0,
    stdout: 'changed\n',
    stderr: '',
  })
  const line = ['--memory', '128m', '--memory-swap', '-1', '--pids-limit', '30', '--restart', 'on-failure:3', 'changed']
  expect(await berth('update', ...line)).toEqual({ code: 0, stdout: 'changed\n', stderr: '' })
  expect(await hostOf(id)).toMatchObject({
    NanoCpus: 500_000_000,
    Memory: 128 << 20,
    PidsLimit: 30,
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
  })
  expect(await berth('update', '--memory', '1', 'changed')).toEqual(await daemon.docker('update', '-m', '1', 'changed'))
  await remove(id)
})
