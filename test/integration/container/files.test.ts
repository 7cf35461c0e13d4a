/** What containers have changed, as list and as archive; dockerd is asked the same. */
import { execFileSync } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'
import { berthFor } from '../cli/client.ts'
import { type BesideDockerd, lines, startBesideDockerd } from './beside-dockerd.ts'

const stack = new AsyncDisposableStack()
let scene: BesideDockerd
let ours: TestDaemon
let directory: string

beforeAll(async () => {
  scene = stack.use(await startBesideDockerd())
  ours = scene.ours
  directory = scene.directory
})
afterAll(() => stack.disposeAsync())

const work = `echo hi >/new; rm /etc/passwd; mkdir -p /a/b; echo x >/a/b/c; chmod 700 /tmp; ln -s /new /link; rm -r /bin/vi`

test('diff tells what dockerd tells', async () => {
  const script = `${work}; rm -rf /root; mkdir -p /root; echo y >>/etc/group; touch /bin`
  await scene.onBoth('run', '--name', 'changed', '--network', 'none', busybox, 'sh', '-c', script)
  const { ours: mine, dockerd } = await scene.both('diff', 'changed')
  // dockerd lists in the order of a hash table.
  expect(lines(mine.stdout)).toEqual(lines(dockerd.stdout).toSorted((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1)))
  expect(lines(mine.stdout)).toContain('D /etc/passwd')
  expect((await berthFor(ours)('diff', 'changed')).stdout).toBe(mine.stdout)
})

test('places that mounts are made on are told as dockerd tells them', async () => {
  const mounts = ['-v', `${directory}:/bound`, '-v', '/etc/hostname:/etc/new/name', '--tmpfs', '/tmpfs', '--init']
  await scene.onBoth('run', '--name', 'mounted', '--network', 'none', ...mounts, busybox, 'true')
  const { ours: mine, dockerd } = await scene.both('diff', 'mounted')
  expect(lines(mine.stdout)).toEqual(lines(dockerd.stdout).toSorted((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1)))
})

test('a container that changed nothing has null, running or not', async () => {
  await scene.onBoth('run', '-d', '--name', 'idle', '--network', 'none', busybox, 'sleep', '1000')
  for (const state of ['running', 'killed']) {
    const mine = await ours.request('GET', '/containers/idle/changes')
    const dockerd = await scene.askPeer('/containers/idle/changes')
    expect({ state, status: mine.status, body: mine.body }).toEqual({
      state,
      status: dockerd.status,
      body: dockerd.body,
    })
    expect(mine.body).toBe('null\n')
    if (state === 'running') await scene.onBoth('kill', 'idle')
  }
  await scene.onBoth('rm', 'idle')
})

test('the members of a change, and a name that nobody has', async () => {
  await scene.onBoth('run', '--name', 'one', '--network', 'none', busybox, 'sh', '-c', ': >/x')
  for (const path of ['/containers/one/changes', '/containers/nobody/changes', '/containers/nobody/export']) {
    const { status, body } = await ours.request('GET', path)
    const { status: theirs, body: text } = await scene.askPeer(path)
    expect({ path, status, body: JSON.parse(body) }).toEqual({ path, status: theirs, body: JSON.parse(text) })
  }
})

test('an exported container is what dockerd exports, but for its own mount points', async () => {
  await scene.onBoth('run', '--name', 'exported', '--network', 'none', busybox, 'sh', '-c', work)
  const [mine = '', theirs = ''] = [join(directory, 'ours.tar'), join(directory, 'theirs.tar')]
  await ours.docker('export', '-o', mine, 'exported')
  await scene.onPeer('export', '-o', theirs, 'exported')
  // dockerd puts them into a layer of their own below the container's.
  const own = /^\.dockerenv$|^(dev|proc|sys)\/|^etc\/($|hosts$|hostname$|resolv\.conf$|mtab$)/
  const names = (file: string) => lines(execFileSync('tar', ['-tf', file], { encoding: 'utf8' })).toSorted()
  expect(names(mine).filter((name) => !own.test(name))).toEqual(names(theirs).filter((name) => !own.test(name)))
  await berthFor(ours)('export', '-o', join(directory, 'berth.tar'), 'exported')
  expect(await readFile(join(directory, 'berth.tar'))).toEqual(await readFile(mine))
  expect(names(mine)).toContain('a/b/c')
  expect(names(mine)).not.toContain('bin/vi')
  const head = await ours.request('GET', '/containers/exported/export')
  const dockerd = await scene.askPeer('/containers/exported/export')
  expect({ status: head.status, type: head.headers['content-type'] }).toEqual({
    status: dockerd.status,
    type: dockerd.type,
  })
})

test('an export is told of, and one whose reader goes leaves no child', async () => {
  await ours.docker(
    'run',
    '--name',
    'large',
    busybox,
    'sh',
    '-c',
    'dd if=/dev/zero of=/zeros bs=1M count=300 2>/dev/null',
  )
  const since = (Date.now() / 1000).toFixed(3)
  const gone = new AbortController()
  const response = await ours.open('GET', '/containers/large/export', undefined, { signal: gone.signal })
  const first = await response[Symbol.asyncIterator]().next()
  expect(first.value.length).toBeGreaterThan(0)
  const packers = async () => (await childrenOf(ours.pid)).filter((name) => name.includes('--export'))
  expect(await packers()).toHaveLength(1)
  gone.abort()
  await waitFor('no packer is left', async () => (await packers()).length === 0)

  await ours.docker('export', '-o', join(directory, 'whole.tar'), 'large')
  expect((await stat(join(directory, 'whole.tar'))).size).toBeGreaterThan(300 << 20)
  const until = Math.floor(Date.now() / 1000) + 1
  const told = await ours.docker(
    'events',
    '--since',
    `${since}`,
    '--until',
    `${until}`,
    '--filter',
    'event=export',
    '--filter',
    'container=large',
  )
  expect(lines(told.stdout)).toHaveLength(1)
})

async function childrenOf(pid: number): Promise<string[]> {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    all.map(async (child) => {
      const status = await readFile(`/proc/${child}/stat`, 'utf8').catch(() => '')
      const parent = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1])
      return parent === pid ? await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '') : ''
    }),
  )
  return found.filter((line) => line !== '')
}
