import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

const shimFile = (daemon: TestDaemon, id: string, name: string) => join(daemon.execRoot, 'shims', id, name)
const stateOf = async (daemon: TestDaemon, id: string) =>
  (await daemon.json('GET', `/containers/${id}/json`)).State as Record<string, unknown>
const isDead = async (pid: number) =>
  !/^\d+ \(.*\) [^ZX]/.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))

test('damaged files of shims cost only their own containers, which are told of and can be removed', {
  timeout: 60_000,
}, async () => {
  await using daemon = await startDaemon()
  const sleeper = () => daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  const short = () => daemon.runDetached('--network', 'none', busybox, 'sh', '-c', 'sleep 0.3; exit 3')
  const [healthy, garbled, ended] = await Promise.all([sleeper(), sleeper(), short()])
  const orphan = 'f'.repeat(64)
  const { Pid } = await stateOf(daemon, garbled)
  await daemon.kill9()
  await waitFor('it has ended', async () => existsSync(shimFile(daemon, ended, 'exit.json')))
  await writeFile(shimFile(daemon, garbled, 'shim.json'), '{"id":')
  await truncate(shimFile(daemon, ended, 'exit.json'), 5)
  await mkdir(join(daemon.execRoot, 'shims', orphan))
  await writeFile(shimFile(daemon, orphan, 'shim.json'), 'garbage')
  await daemon.start()

  expect(await stateOf(daemon, healthy)).toMatchObject({ Status: 'running' })
  expect(await stateOf(daemon, ended)).toMatchObject({
    Status: 'exited',
    Error: expect.stringContaining(`${shimFile(daemon, ended, 'exit.json')} is damaged`),
  })
  expect(await stateOf(daemon, garbled)).toMatchObject({ Status: 'exited', ExitCode: 137 })
  await waitFor('its process is dead', () => isDead(Number(Pid)))
  expect(daemon.log).toContain(`${shimFile(daemon, garbled, 'shim.json')} is damaged`)
  expect((await daemon.docker('start', garbled)).code).toBe(0)
  for (const id of [healthy, garbled, ended]) expect((await daemon.docker('rm', '-f', id)).code).toBe(0)
  await rm(join(daemon.execRoot, 'shims', orphan), { recursive: true, force: true })
})

test('a layer whose container is not on record is removed when the daemon starts', async () => {
  await using daemon = await startDaemon()
  const { Id } = await daemon.json('POST', '/containers/create', { Image: busybox })
  const snapshots = () => readdirSync(join(daemon.dataRoot, 'snapshots')).length
  const before = snapshots()
  await daemon.kill9()
  {
    using database = new DatabaseSync(join(daemon.dataRoot, 'state.db'))
    database.prepare('DELETE FROM containers WHERE id = ?').run(String(Id))
  }
  await rm(join(daemon.dataRoot, 'containers', String(Id)), { recursive: true })
  await daemon.start()
  expect(snapshots()).toBe(before - 1)
})

test('a daemon and a shim killed in the middle of a start leave no control group', async () => {
  await using daemon = await startDaemon()
  const id = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  const { Pid } = await stateOf(daemon, id)
  const groups = (await readFile(`/proc/${Pid}/cgroup`, 'utf8')).split('\n').filter((line) => line.includes(id))
  expect(groups).not.toEqual([])
  const [, controllers = '', path = ''] = groups[0]?.split(':') ?? []
  const group = join('/sys/fs/cgroup', controllers.replace('name=', ''), path)
  expect(existsSync(group)).toBe(true)
  const shim = JSON.parse(await readFile(shimFile(daemon, id, 'shim.json'), 'utf8')) as { pid: number }
  await daemon.kill9()
  process.kill(shim.pid, 'SIGKILL')
  {
    // As the record was before the start.
    using database = new DatabaseSync(join(daemon.dataRoot, 'state.db'))
    const { state } = database.prepare('SELECT state FROM containers WHERE id = ?').get(id) as { state: string }
    const created = { ...JSON.parse(state), status: 'created', pid: 0, startedAt: null }
    database.prepare('UPDATE containers SET state = ? WHERE id = ?').run(JSON.stringify(created), id)
  }
  await daemon.start()
  expect(await stateOf(daemon, id)).toMatchObject({ Status: 'created' })
  expect(existsSync(group)).toBe(false)
})
