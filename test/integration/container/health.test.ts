/** Health checks that run commands in the container, through the docker CLI. */
import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

interface Health {
  readonly Status: string
  readonly FailingStreak: number
  readonly Log: readonly { Start: string; End: string; ExitCode: number; Output: string }[]
}

const stateOf = async (id: string) =>
  (await daemon.json('GET', `/containers/${id}/json`)).State as Record<string, unknown> & { readonly Health?: Health }
const healthOf = async (id: string) => (await stateOf(id)).Health
const becomes = (id: string, status: string) =>
  waitFor(`${id} is ${status}`, async () => (await healthOf(id))?.Status === status && healthOf(id), {
    timeoutMs: 30_000,
  })
const probed = (id: string, matches: (health: Health) => boolean) =>
  waitFor(`${id} is probed`, async () => {
    const health = await healthOf(id)
    return health && matches(health) && health
  })
const statusOf = async (id: string) =>
  (await daemon.docker('ps', '-a', '--filter', `id=${id}`, '--format', '{{.Status}}')).stdout
const inside = (id: string, ...command: string[]) => daemon.docker('exec', id, ...command)
const checked = (cmd: string, ...args: string[]) =>
  daemon.runDetached(
    '--network',
    'none',
    '--health-cmd',
    cmd,
    '--health-interval',
    '100ms',
    ...args,
    busybox,
    'sleep',
    '1000',
  )
const remove = async (...ids: string[]) => expect((await daemon.docker('rm', '-f', ...ids)).code).toBe(0)
const eventsOf = async (id: string) => {
  const filters = encodeURIComponent(JSON.stringify({ container: [id] }))
  const { body } = await daemon.request('GET', `/events?since=1&until=${Date.now() / 1000 + 0.01}&filters=${filters}`)
  return body
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { Action: string }).Action)
}

test('a container goes from starting to unhealthy to healthy, and says so in lists and events', async () => {
  const id = await checked('echo checked; test -e /tmp/ok', '--health-retries', '2')
  expect(await statusOf(id)).toMatch(/^Up .* \((health: starting|unhealthy)\)\n$/)
  const health = await becomes(id, 'unhealthy')
  expect(health.FailingStreak).toBeGreaterThanOrEqual(2)
  expect(health.Log[0]).toMatchObject({ ExitCode: 1, Output: 'checked\n' })
  expect(Date.parse(health.Log[0]?.End ?? '')).toBeGreaterThanOrEqual(Date.parse(health.Log[0]?.Start ?? ''))
  expect(await statusOf(id)).toMatch(/^Up .* \(unhealthy\)\n$/)
  await inside(id, 'touch', '/tmp/ok')
  expect(await becomes(id, 'healthy')).toMatchObject({ FailingStreak: 0 })
  expect(await statusOf(id)).toMatch(/^Up .* \(healthy\)\n$/)
  const listed = async (value: string) =>
    (await daemon.docker('ps', '-q', '--no-trunc', '--filter', `health=${value}`)).stdout
  expect(await listed('healthy')).toBe(`${id}\n`)
  expect(await listed('none')).toBe('')
  const actions = await eventsOf(id)
  expect(actions.slice(2, 5)).toEqual([
    'exec_create: /bin/sh -c echo checked; test -e /tmp/ok',
    'exec_start: /bin/sh -c echo checked; test -e /tmp/ok',
    'exec_die',
  ])
  expect(actions.filter((action) => action.startsWith('health_status'))).toEqual([
    'health_status: unhealthy',
    'health_status: healthy',
  ])
  await probed(id, ({ Log }) => Log.length === 5)
  await remove(id)
})

test('a container that has not run, and one without a check, tell of no health', async () => {
  const { stdout } = await daemon.docker('create', '--health-cmd', 'true', busybox, 'true')
  const plain = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  expect(await stateOf(stdout.trim())).not.toHaveProperty('Health')
  expect(await stateOf(plain)).not.toHaveProperty('Health')
  await remove(stdout.trim(), plain)
})

test('a probe that takes too long is killed, with what it said', async () => {
  const id = await checked('echo begun; exec sleep 1000', '--health-timeout', '300ms', '--health-retries', '1')
  const health = await becomes(id, 'unhealthy')
  expect(health.Log[0]).toMatchObject({ ExitCode: -1, Output: 'Health check exceeded timeout (300ms): begun\n' })
  await daemon.docker('pause', id)
  await daemon.docker('unpause', id)
  const { stdout } = await daemon.docker('top', id, '-o', 'pid,args')
  expect(stdout.split('\n').filter((line) => line.includes('sleep 1000')).length).toBeLessThanOrEqual(2)
  await remove(id)
})

test('a command that is not there fails with the engine’s words, and much output is cut', async () => {
  const create = async (Test: readonly string[]) => {
    const Healthcheck = { Test, Interval: 100_000_000 }
    const body = { Image: busybox, Cmd: ['sleep', '1000'], HostConfig: { NetworkMode: 'none' }, Healthcheck }
    const { Id } = await daemon.json('POST', '/containers/create', body)
    await daemon.json('POST', `/containers/${Id}/start`)
    return String(Id)
  }
  const [missing, loud] = await Promise.all([
    create(['CMD', '/nope', 'a']),
    create(['CMD-SHELL', 'yes | head -c 10000; exit 3']),
  ])
  const [first] = (await probed(missing, ({ Log }) => Log.length > 0)).Log
  expect(first?.ExitCode).toBe(-1)
  expect(first?.Output).toMatch(
    /^OCI runtime exec failed: exec failed: unable to start container process: exec: "\/nope"/,
  )
  const [cut] = (await probed(loud, ({ Log }) => Log.length > 0)).Log
  expect(cut).toMatchObject({ ExitCode: 3, Output: `${'y\n'.repeat(2048)}...` })
  await remove(missing, loud)
})

test('the probe has the container’s user, directory and environment', async () => {
  const id = await checked('id -u; pwd; echo $A', '-u', '1000', '-w', '/tmp', '-e', 'A=b')
  const [first] = (await probed(id, ({ Log }) => Log.length > 0)).Log
  expect(first).toMatchObject({ ExitCode: 0, Output: '1000\n/tmp\nb\n' })
  await remove(id)
})

test('what is paused or has ended is not probed and counts as unhealthy; the next start begins anew', async () => {
  const id = await checked('true')
  await becomes(id, 'healthy')
  expect((await daemon.docker('pause', id)).code).toBe(0)
  const paused = await healthOf(id)
  expect(paused).toMatchObject({ Status: 'unhealthy', FailingStreak: 0 })
  expect(await statusOf(id)).toMatch(/\(Paused\)\n$/)
  expect((await daemon.docker('unpause', id)).code).toBe(0)
  await becomes(id, 'healthy')
  expect((await daemon.docker('stop', '-t', '0', id)).code).toBe(0)
  const stopped = await healthOf(id)
  expect(stopped).toMatchObject({ Status: 'unhealthy', FailingStreak: 0 })
  expect((await daemon.docker('start', id)).code).toBe(0)
  expect((await healthOf(id))?.Log.map(({ Start }) => Start)).toContain(stopped?.Log.at(-1)?.Start)
  await becomes(id, 'healthy')
  await remove(id)
})

test('failures in the start period do not count, and probes are as frequent as it says', async () => {
  const id = await daemon.runDetached(
    ...['--network', 'none', '--health-cmd', 'exit 1', '--health-interval', '1h', '--health-retries', '1'],
    ...['--health-start-period', '1h', '--health-start-interval', '50ms', busybox, 'sleep', '1000'],
  )
  expect(await probed(id, ({ Log }) => Log.length >= 3)).toMatchObject({ Status: 'starting', FailingStreak: 0 })
  await remove(id)
})

test('health is kept over daemons, killed ones too, and a probe that was under way is ended', async () => {
  const id = await checked('test -e /tmp/slow && exec sleep 987654; true', '--health-timeout', '1h')
  const { Log } = await becomes(id, 'healthy')
  await inside(id, 'touch', '/tmp/slow')
  const processes = async () => (await daemon.docker('top', id, '-o', 'pid,args')).stdout
  await waitFor('a probe is under way', async () => (await processes()).includes('sleep 987654'))
  await daemon.kill9()
  await daemon.start()
  const kept = await healthOf(id)
  expect(kept?.Status).toBe('healthy')
  expect(kept?.Log.map(({ Start }) => Start)).toContain(Log.at(-1)?.Start)
  await waitFor('it is probed again', async () => (await processes()).includes('sleep 987654'))
  expect((await processes()).match(/sleep 987654/g)).toHaveLength(1)
  await inside(id, 'rm', '/tmp/slow')
  await daemon.restart()
  await probed(id, (health) => Date.parse(health.Log.at(-1)?.End ?? '') > Date.parse(kept?.Log.at(-1)?.End ?? ''))
  expect(await processes()).not.toContain('sleep 987654')
  await remove(id)
})

test('NONE takes the image’s check away, and other fields change it', async () => {
  const made = await daemon.docker('create', busybox, 'sleep', '1000')
  const change = 'HEALTHCHECK --interval=100ms --retries=9 CMD echo from the image'
  expect((await daemon.docker('commit', '--change', change, made.stdout.trim(), 'with-check')).code).toBe(0)
  const start = (...args: string[]) => daemon.runDetached('--network', 'none', ...args, 'with-check')
  const [plain, changed, without] = await Promise.all([
    start(),
    start('--health-retries', '2'),
    start('--no-healthcheck'),
  ])
  expect((await becomes(plain, 'healthy')).Log[0]?.Output).toBe('from the image\n')
  const checkOf = async (id: string) =>
    ((await daemon.json('GET', `/containers/${id}/json`)).Config as { Healthcheck: object }).Healthcheck
  const image = { Test: ['CMD-SHELL', 'echo from the image'], Interval: 100_000_000, Retries: 9 }
  expect(await checkOf(plain)).toEqual(image)
  expect(await checkOf(changed)).toEqual({ ...image, Retries: 2 })
  expect(await checkOf(without)).toMatchObject({ Test: ['NONE'] })
  expect(await stateOf(without)).not.toHaveProperty('Health')
  await remove(plain, changed, without, made.stdout.trim())
})

test.each([
  ['restart', async (id: string) => (await eventsOf(id)).includes('restart')],
  ['stop', async (id: string) => (await stateOf(id)).Status === 'exited' && (await eventsOf(id)).includes('stop')],
  ['kill', async (id: string) => (await stateOf(id)).Status === 'exited' && (await stateOf(id)).ExitCode === 137],
])('a container made with io.berth.health-on-failure=%s gets what it asked for', async (action, done) => {
  const label = `io.berth.health-on-failure=${action}`
  const id = await checked('test ! -e /tmp/bad', '--label', label, '--stop-timeout', '0', '--health-retries', '1')
  await becomes(id, 'healthy')
  await inside(id, 'touch', '/tmp/bad')
  await waitFor(`${action} is done`, () => done(id), { timeoutMs: 30_000 })
  await remove(id)
})

test('the same labels and forms do nothing in an image', async () => {
  const made = await daemon.docker('create', busybox, 'sleep', '1000')
  const changes = [
    'LABEL io.berth.health-on-failure=kill io.berth.healthcheck.tcp=1',
    'HEALTHCHECK --interval=100ms --retries=1 CMD exit 1',
  ].flatMap((change) => ['--change', change])
  expect((await daemon.docker('commit', ...changes, made.stdout.trim(), 'with-labels')).code).toBe(0)
  const id = await daemon.runDetached('--network', 'none', 'with-labels')
  const health = await probed(id, ({ FailingStreak }) => FailingStreak > 3)
  expect(health.Log.every(({ ExitCode }) => ExitCode === 1)).toBe(true)
  expect(await stateOf(id)).toMatchObject({ Status: 'running' })
  await remove(id, made.stdout.trim())
})

test('settings that make no sense are refused in dockerd’s words', async () => {
  const answer = await daemon.request('POST', '/containers/create', {
    Image: busybox,
    Healthcheck: { Test: ['CMD', 'true'], Interval: 1000 },
  })
  expect(answer.status).toBe(400)
  expect(JSON.parse(answer.body)).toEqual({ message: 'Interval in Healthcheck cannot be less than 1ms' })
})

test('clients before 1.44 know no start interval', async () => {
  const Healthcheck = { Test: ['CMD', 'true'], StartInterval: 5_000_000 }
  const made = async (version: string) => {
    const { Id } = await daemon.json('POST', `/${version}/containers/create`, { Image: busybox, Healthcheck })
    const { Config } = await daemon.json('GET', `/containers/${Id}/json`)
    await remove(String(Id))
    return (Config as { Healthcheck: object }).Healthcheck
  }
  expect(await made('v1.43')).toEqual({ Test: ['CMD', 'true'] })
  expect(await made('v1.44')).toEqual(Healthcheck)
})
