import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

interface Listed {
  readonly Id: string
  readonly State: string
}

const list = async (daemon: TestDaemon) =>
  JSON.parse((await daemon.request('GET', '/containers/json?all=1')).body) as Listed[]

/** The answer of a daemon that is killed in the middle of it may never come. */
const attempt = (work: Promise<unknown>) => work.catch(() => undefined)

async function storm(daemon: TestDaemon): Promise<void> {
  const create = async (cmd: string[], host: object) => {
    const { Id } = await daemon.json('POST', '/containers/create', { Image: busybox, Cmd: cmd, HostConfig: host })
    await daemon.request('POST', `/containers/${Id}/start`)
    return String(Id)
  }
  await Promise.all([
    ...[1, 2, 3].map(() => attempt(create(['true'], { AutoRemove: true }))),
    ...[1, 2].map(() => attempt(create(['sleep', '1000'], {}))),
    attempt(create(['sleep', '1000'], {}).then((id) => daemon.request('DELETE', `/containers/${id}?force=1`))),
    attempt(create(['sh', '-c', 'exit 3'], { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 } })),
    attempt(create(['nosuch'], { AutoRemove: true })),
  ])
}

async function leftOf(daemon: TestDaemon): Promise<Record<string, readonly string[]>> {
  const names = async (path: string) => (await readdir(path)).filter((name) => /^[0-9a-f]{64}$/.test(name))
  const links = await daemon.run([...daemon.enter, 'ip', '-o', 'link', 'show', 'type', 'veth'])
  return {
    containers: await names(join(daemon.dataRoot, 'containers')),
    shims: await names(join(daemon.execRoot, 'shims')),
    links: links.stdout.split('\n').filter(Boolean),
    snapshots: (await readdir(join(daemon.dataRoot, 'snapshots'))).filter((name) => /^\d+$/.test(name)),
  }
}

test('a daemon killed at any moment finds its way back, and nothing is left when all is removed', {
  timeout: 110_000,
}, async () => {
  await using daemon = await startDaemon()
  const before = await leftOf(daemon)
  for (const ms of [3, 8, 15, 25, 40, 60, 90, 150, 300]) {
    const storming = storm(daemon)
    await delay(ms) // the moment is the parameter of this test
    await daemon.kill9()
    await storming
    await daemon.start()
    for (const { Id } of await list(daemon)) {
      const { State, Path } = (await daemon.json('GET', `/containers/${Id}/json`)) as {
        State: { Pid: number; Status: string }
        Path: string
      }
      expect(['created', 'running', 'restarting', 'exited']).toContain(State.Status)
      // Those that only sleep cannot have ended since.
      if (Path === 'sleep' && State.Status === 'running') {
        expect(await readFile(`/proc/${State.Pid}/cgroup`, 'utf8')).toContain(Id)
      }
    }
  }
  for (const { Id } of await list(daemon)) {
    expect((await daemon.request('DELETE', `/containers/${Id}?force=1`)).status).toBe(204)
  }
  expect(await list(daemon)).toEqual([])
  await waitFor('nothing is left', async () => JSON.stringify(await leftOf(daemon)) === JSON.stringify(before)).catch(
    async () => expect(await leftOf(daemon)).toEqual(before),
  )
  expect(daemon.log).not.toContain('level=error')
})

test('one frozen shim holds up nobody but those who want something of its container', { timeout: 60_000 }, async () => {
  await using daemon = await startDaemon()
  const other = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  const { id: frozen, pid } = await freeze(daemon)
  try {
    await daemon.kill9()
    await daemon.start()
    expect((await daemon.docker('exec', other, 'echo', 'alive')).stdout).toBe('alive\n')
    expect((await list(daemon)).map(({ State }) => State)).toEqual(['running', 'running'])
    expect((await daemon.json('GET', `/containers/${frozen}/json`)).State).toMatchObject({ Running: true })
    const stopping = performance.now()
    await daemon.stop()
    expect(performance.now() - stopping).toBeLessThan(8000)
    await daemon.start()
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  expect((await daemon.docker('exec', frozen, 'echo', 'back')).stdout).toBe('back\n')
})

test('a container whose shim is frozen cannot be stopped but removed, and others are served at once', {
  timeout: 90_000,
}, async () => {
  await using daemon = await startDaemon()
  const [stopped, removed] = [await freeze(daemon), await freeze(daemon)]
  await using _continued = { [Symbol.asyncDispose]: async () => void process.kill(stopped.pid, 'SIGCONT') }
  const stopping = daemon.docker('stop', '-t', '1', stopped.id)
  const removing = daemon.docker('rm', '-f', removed.id)
  for (const path of ['/containers/json', `/containers/${stopped.id}/json`, '/events?since=0&until=1']) {
    const waits: number[] = []
    for (let asked = 0; asked < 5; asked += 1) {
      const begin = performance.now()
      expect((await daemon.request('GET', path)).status).toBe(200)
      waits.push(performance.now() - begin)
    }
    expect(waits.toSorted((left, right) => left - right)[2], path).toBeLessThan(100)
  }
  expect((await stopping).stderr).toContain(
    `its shim (process ${stopped.pid}) does not answer; kill -CONT ${stopped.pid}`,
  )
  expect((await removing).code).toBe(0)
  expect((await list(daemon)).map(({ Id }) => Id)).toEqual([stopped.id])
})

/** A running container whose shim has been stopped. */
async function freeze(daemon: TestDaemon): Promise<{ id: string; pid: number }> {
  const id = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  const record = await readFile(join(daemon.execRoot, 'shims', id, 'shim.json'), 'utf8')
  const { pid } = JSON.parse(record) as { pid: number }
  process.kill(pid, 'SIGSTOP')
  return { id, pid }
}
