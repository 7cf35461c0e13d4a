import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

const sleeper = (...args: string[]) => daemon.runDetached('--network', 'none', ...args, busybox, 'sleep', '1000')
const stateOf = async (id: string) =>
  (await daemon.json('GET', `/containers/${id}/json`)).State as Record<string, unknown>
const statusOf = async (method: string, path: string) => (await daemon.request(method, path)).status
const remove = (id: string) => statusOf('DELETE', `/containers/${id}?force=1`)

test('starting what runs and stopping what does not are 304', async () => {
  const id = await sleeper()
  expect(await statusOf('POST', `/containers/${id}/start`)).toBe(304)
  expect(await statusOf('POST', `/containers/${id}/stop?t=0`)).toBe(204)
  expect(await statusOf('POST', `/containers/${id}/stop`)).toBe(304)
  expect(await stateOf(id)).toMatchObject({ Status: 'exited', ExitCode: 137 })
  expect(await remove(id)).toBe(204)
})

test('the stop signal of the container is used, and its handler has its time', async () => {
  const script = 'trap "exit 3" USR1; echo ready; while :; do sleep 0.05; done'
  const id = await daemon.runDetached('--network', 'none', '--stop-signal', 'USR1', busybox, 'sh', '-c', script)
  await waitFor('the handler is set', async () => (await daemon.docker('logs', id)).stdout === 'ready\n')
  expect(await statusOf('POST', `/containers/${id}/stop?t=30`)).toBe(204)
  expect(await stateOf(id)).toMatchObject({ ExitCode: 3 })
  expect(await remove(id)).toBe(204)
})

test('a stop signal that is none is refused, and a negative time to stop is as long as it takes', async () => {
  const id = await sleeper('--stop-timeout', '-5')
  const answer = await daemon.request('POST', `/containers/${id}/stop?signal=NOPE`)
  expect(answer).toMatchObject({ status: 400 })
  expect(JSON.parse(answer.body)).toEqual({ message: `cannot stop container: ${id}: invalid signal: NOPE` })
  const restart = await daemon.request('POST', `/containers/${id}/restart?signal=NOPE`)
  expect(JSON.parse(restart.body)).toEqual({ message: `Cannot restart container ${id}: invalid signal: NOPE` })
  expect(await stateOf(id)).toMatchObject({ Status: 'running' })
  expect(await remove(id)).toBe(204)
})

test('killing, pausing and removing follow the state', async () => {
  const id = await sleeper('--name', 'stateful')
  expect(await statusOf('DELETE', `/containers/${id}`)).toBe(409)
  expect(await statusOf('POST', `/containers/${id}/pause`)).toBe(204)
  expect(await stateOf(id)).toMatchObject({ Status: 'paused', Running: true, Paused: true })
  expect(await statusOf('POST', `/containers/${id}/pause`)).toBe(409)
  expect(await statusOf('POST', `/containers/${id}/start`)).toBe(409)
  expect(await statusOf('POST', `/containers/${id}/unpause`)).toBe(204)
  expect(await statusOf('POST', `/containers/${id}/kill?signal=KILL`)).toBe(204)
  await waitFor('it is down', async () => (await stateOf(id)).Status === 'exited')
  expect(await statusOf('POST', `/containers/${id}/kill`)).toBe(409)
  expect(await statusOf('POST', `/containers/${id}/pause`)).toBe(409)
  expect(await statusOf('DELETE', `/containers/${id}`)).toBe(204)
  expect(await statusOf('GET', `/containers/${id}/json`)).toBe(404)
})

test('a paused container can be killed by force', async () => {
  const id = await sleeper()
  await daemon.docker('pause', id)
  expect(await remove(id)).toBe(204)
})

test('a stopped container starts again with the files it wrote', async () => {
  const script = 'cat /count 2>/dev/null; echo run >> /count'
  const id = await daemon.runDetached('--network', 'none', busybox, 'sh', '-c', script)
  await daemon.docker('wait', id)
  expect((await daemon.docker('start', '-a', id)).stdout).toBe('run\n')
  expect((await daemon.docker('logs', id)).stdout).toBe('run\n')
  expect(await remove(id)).toBe(204)
})

test('a rename is known at once, also to prefixes and to those who want the old name', async () => {
  const id = await sleeper('--name', 'before')
  expect(await statusOf('POST', '/containers/before/rename?name=after')).toBe(204)
  expect(await statusOf('GET', '/containers/before/json')).toBe(404)
  expect((await daemon.json('GET', `/containers/${id.slice(0, 8)}/json`)).Name).toBe('/after')
  expect(await remove('after')).toBe(204)
})

test('waiting for removal ends when the container has removed itself', async () => {
  const { Id } = await daemon.json('POST', '/containers/create', {
    Image: busybox,
    Cmd: ['sh', '-c', 'exit 5'],
    HostConfig: { AutoRemove: true, NetworkMode: 'none' },
  })
  const waiting = daemon.json('POST', `/containers/${Id}/wait?condition=removed`)
  expect(await statusOf('POST', `/containers/${Id}/start`)).toBe(204)
  expect(await waiting).toMatchObject({ StatusCode: 5 })
  expect(await statusOf('GET', `/containers/${Id}/json`)).toBe(404)
})

test('on-failure restarts so many times, and counts', async () => {
  const policy = { Name: 'on-failure', MaximumRetryCount: 2 }
  const { Id } = await daemon.json('POST', '/containers/create', {
    Image: busybox,
    Cmd: ['sh', '-c', 'echo try; exit 9'],
    HostConfig: { RestartPolicy: policy, NetworkMode: 'none' },
  })
  await daemon.request('POST', `/containers/${Id}/start`)
  await waitFor('it has given up', async () => {
    const { RestartCount, State } = await daemon.json('GET', `/containers/${Id}/json`)
    return RestartCount === 2 && (State as { Status: string }).Status === 'exited'
  })
  expect((await daemon.docker('logs', String(Id))).stdout).toBe('try\ntry\ntry\n')
  expect(await remove(String(Id))).toBe(204)
})

test('a stop ends the restarts of a container that always comes back', async () => {
  const id = await daemon.runDetached('--network', 'none', '--restart', 'always', busybox, 'false')
  await waitFor(
    'it came back',
    async () => Number((await daemon.json('GET', `/containers/${id}/json`)).RestartCount) >= 1,
  )
  expect((await daemon.docker('stop', '-t', '0', id)).code).toBe(0)
  expect(await stateOf(id)).toMatchObject({ Status: 'exited', Restarting: false })
  expect(await remove(id)).toBe(204)
})

test('running out of memory is told', async () => {
  const script = 'tail /dev/zero'
  const result = await daemon.docker(
    'run',
    '--name',
    'hungry',
    '--network',
    'none',
    '-m',
    '16m',
    busybox,
    'sh',
    '-c',
    script,
  )
  expect(result.code).toBe(137)
  expect(await stateOf('hungry')).toMatchObject({ OOMKilled: true, ExitCode: 137 })
  expect(await remove('hungry')).toBe(204)
})

test('top shows the processes of the container and no others', async () => {
  const id = await daemon.runDetached('--network', 'none', busybox, 'sh', '-c', 'sleep 1001 & sleep 1002')
  const { Titles, Processes } = await daemon.json('GET', `/containers/${id}/top`)
  expect(Titles).toContain('PID')
  expect((Processes as string[][]).map((row) => row.at(-1))).toEqual(
    expect.arrayContaining(['sleep 1001', 'sleep 1002']),
  )
  expect((Processes as string[][]).length).toBeLessThanOrEqual(3)
  expect(await remove(id)).toBe(204)
})

test('an image in use is not removed', async () => {
  const id = await sleeper()
  const answer = await daemon.request('DELETE', `/images/${busybox}`)
  expect(answer.status).toBe(409)
  expect(await remove(id)).toBe(204)
})

test('restarting a container that removes itself keeps it', async () => {
  const id = await sleeper('--rm')
  const before = await stateOf(id)
  expect(await statusOf('POST', `/containers/${id}/restart?t=0`)).toBe(204)
  expect(await stateOf(id)).toMatchObject({ Status: 'running' })
  expect((await stateOf(id)).Pid).not.toBe(before.Pid)
  expect(await statusOf('POST', `/containers/${id}/stop?t=0`)).toBe(204)
  await waitFor('it has removed itself', async () => (await statusOf('GET', `/containers/${id}/json`)) === 404)
})

test('stopping a paused container lets it act on the signal', async () => {
  const script = 'trap "exit 6" TERM; echo ready; while :; do sleep 0.05; done'
  const id = await daemon.runDetached('--network', 'none', busybox, 'sh', '-c', script)
  await waitFor('the handler is set', async () => (await daemon.docker('logs', id)).stdout === 'ready\n')
  await daemon.docker('pause', id)
  expect(await statusOf('POST', `/containers/${id}/stop?t=30`)).toBe(204)
  expect(await stateOf(id)).toMatchObject({ Status: 'exited', ExitCode: 6 })
  expect(await remove(id)).toBe(204)
})

test('the engine’s own files are readable for every user of a container', async () => {
  const result = await daemon.docker(
    'run',
    '--rm',
    '-u',
    '1234',
    busybox,
    'cat',
    '/etc/hostname',
    '/etc/hosts',
    '/etc/resolv.conf',
  )
  expect(result).toMatchObject({ code: 0, stderr: '' })
})
