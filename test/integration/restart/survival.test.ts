import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

const stateOf = async (id: string) =>
  (await daemon.json('GET', `/containers/${id}/json`)).State as Record<string, unknown>
const shimDirectory = (id: string) => join(daemon.execRoot, 'shims', id)
const exitRecord = async (id: string) =>
  JSON.parse(await readFile(join(shimDirectory(id), 'exit.json'), 'utf8')) as Record<string, unknown>
const shimPid = async (id: string) =>
  Number((JSON.parse(await readFile(join(shimDirectory(id), 'shim.json'), 'utf8')) as { pid: number }).pid)
const remove = async (id: string) =>
  expect((await daemon.request('DELETE', `/containers/${id}?force=1`)).status).toBe(204)
/** A process that nobody reaps is dead all the same. */
const isAlive = async (pid: number) =>
  /^\d+ \(.*\) [^ZX]/.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))

test('a container that outlives the daemon loses no line, and its exit code is known', {
  timeout: 90_000,
}, async () => {
  const script = 'i=0; while [ $i -lt 1500 ]; do i=$((i+1)); echo $i; usleep 10000; done; exit 42'
  const id = await daemon.runDetached('--network', 'none', busybox, 'sh', '-c', script)
  const lines = async () => (await daemon.docker('logs', id)).stdout.split('\n').filter(Boolean).map(Number)
  await waitFor('it has printed for a while', async () => (await lines()).length > 100)
  await daemon.kill9()
  const log = join(daemon.dataRoot, 'containers', id, `${id}-json.log`)
  const before = (await readFile(log, 'utf8')).length
  await waitFor('it prints without a daemon', async () => (await readFile(log, 'utf8')).length > before + 10_000)
  await daemon.start()
  expect(await stateOf(id)).toMatchObject({ Status: 'running' })
  expect((await daemon.docker('wait', id)).stdout).toBe('42\n')
  expect(await lines()).toEqual(Array.from({ length: 1500 }, (_, index) => index + 1))
  await remove(id)
})

test('thirty megabytes written while the daemon is dead are neither blocked nor lost', {
  timeout: 90_000,
}, async () => {
  const script =
    'read go; yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678 | head -n 375000; exit 7'
  const { Id } = await daemon.json('POST', '/containers/create', {
    Image: busybox,
    Cmd: ['sh', '-c', `while [ ! -e /go ]; do usleep 20000; done; ${script.replace('read go; ', '')}`],
    HostConfig: { NetworkMode: 'none' },
  })
  const id = String(Id)
  await daemon.request('POST', `/containers/${id}/start`)
  expect((await daemon.docker('exec', '-d', id, 'sh', '-c', 'usleep 300000; touch /go')).code).toBe(0)
  await daemon.kill9()
  const record = await waitFor('it has ended without a daemon', () => exitRecord(id).catch(() => undefined), {
    timeoutMs: 60_000,
  })
  expect(record).toMatchObject({ code: 7 })
  await daemon.start()
  expect((await daemon.docker('wait', id)).stdout).toBe('7\n')
  const { stdout } = await daemon.docker('logs', id)
  expect(stdout.length).toBe(375_000 * 80)
  await remove(id)
})

test('when the daemon never comes back the container still ends, and its record says how', async () => {
  const id = await daemon.runDetached('--network', 'none', busybox, 'sh', '-c', 'sleep 1; exit 42')
  await daemon.kill9()
  const record = await waitFor('the record is written', () => exitRecord(id).catch(() => undefined))
  expect(record).toMatchObject({ code: 42, signal: 0, oomKilled: false })
  await daemon.start()
  expect(await stateOf(id)).toMatchObject({ Status: 'exited', ExitCode: 42, Error: '' })
  await remove(id)
})

test('a container dies with its shim, and the daemon says so', async () => {
  const id = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  const { Pid } = await stateOf(id)
  process.kill(await shimPid(id), 'SIGKILL')
  expect((await daemon.docker('wait', id)).stdout).toBe('137\n')
  expect(await stateOf(id)).toMatchObject({
    Status: 'exited',
    ExitCode: 137,
    Error: expect.stringContaining('shim was killed'),
  })
  expect(await isAlive(Number(Pid))).toBe(false)
  expect((await daemon.docker('start', id)).code).toBe(0)
  await remove(id)
})

test('a shim that is killed while the daemon is away is told of when it returns', async () => {
  const id = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  const pid = await shimPid(id)
  await daemon.kill9()
  process.kill(pid, 'SIGKILL')
  await daemon.start()
  expect(await stateOf(id)).toMatchObject({
    Status: 'exited',
    ExitCode: 137,
    Error: expect.stringContaining('shim was killed'),
  })
  await remove(id)
})

test('after a restart everything can be done with a container as before', async () => {
  const id = await daemon.runDetached(
    '--name',
    'kept',
    busybox,
    'sh',
    '-c',
    'trap "exit 4" TERM; while :; do usleep 20000; done',
  )
  const before = await daemon.json('GET', `/containers/${id}/json`)
  await daemon.restart()
  const after = await daemon.json('GET', `/containers/${id}/json`)
  expect(after.State).toEqual(before.State)
  expect(after.NetworkSettings).toEqual(before.NetworkSettings)
  expect(await daemon.docker('exec', 'kept', 'echo', 'inside')).toMatchObject({ code: 0, stdout: 'inside\n' })
  expect((await daemon.docker('pause', 'kept')).code).toBe(0)
  await daemon.kill9()
  await daemon.start()
  expect(await stateOf(id)).toMatchObject({ Status: 'paused' })
  expect((await daemon.docker('unpause', 'kept')).code).toBe(0)
  expect((await daemon.docker('stop', 'kept')).code).toBe(0)
  expect(await stateOf(id)).toMatchObject({ Status: 'exited', ExitCode: 4 })
  await remove(id)
})

test('a container that removes itself is gone when it ended without a daemon', async () => {
  const id = await daemon.runDetached('--rm', '--network', 'none', busybox, 'sh', '-c', 'sleep 0.5')
  await daemon.kill9()
  await waitFor('it has ended', () => exitRecord(id).catch(() => undefined))
  await daemon.start()
  expect((await daemon.request('GET', `/containers/${id}/json`)).status).toBe(404)
})

test('restart policies decide what comes back with the daemon', async () => {
  const start = (policy: string) =>
    daemon.runDetached('--network', 'none', '--restart', policy, busybox, 'sleep', '1000')
  const [always, unless, stopped] = await Promise.all([
    start('always'),
    start('unless-stopped'),
    start('unless-stopped'),
  ])
  expect((await daemon.docker('stop', '-t', '0', stopped)).code).toBe(0)
  const pids = await Promise.all([always, unless].map(shimPid))
  await daemon.kill9()
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  await daemon.start()
  for (const id of [always, unless]) {
    await waitFor('it is back', async () => (await stateOf(id)).Status === 'running')
  }
  expect(await stateOf(stopped)).toMatchObject({ Status: 'exited' })
  await Promise.all([always, unless, stopped].map(remove))
})

test('a second daemon on the same data root says so and ends', async () => {
  const command = [...daemon.enter, process.execPath, join(import.meta.dirname, '../../../src/main.ts'), 'daemon']
  const flags = ['--data-root', daemon.dataRoot, '--exec-root', `${daemon.execRoot}2`, '-H', `unix://${daemon.socket}2`]
  const result = await daemon.run([...command, ...flags])
  expect(result.code).toBe(1)
  expect(result.stderr).toContain(`another daemon is running with the data root ${daemon.dataRoot}`)
})
