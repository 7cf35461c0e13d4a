/** Images made of containers, by us and by dockerd. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'
import { berthFor } from '../cli/client.ts'
import { type BesideDockerd, lines, startBesideDockerd } from './beside-dockerd.ts'

const stack = new AsyncDisposableStack()
let scene: BesideDockerd
let ours: TestDaemon

beforeAll(async () => {
  scene = stack.use(await startBesideDockerd())
  ours = scene.ours
})
afterAll(() => stack.disposeAsync())

interface Inspected {
  readonly Config: Record<string, unknown>
  readonly RootFS: { readonly Layers: readonly string[] }
  readonly Author: string
  readonly Comment: string
}

async function inspected(name: string): Promise<{ ours: Inspected; dockerd: Inspected }> {
  const { ours: mine, dockerd } = await scene.both('image', 'inspect', name)
  return { ours: JSON.parse(mine.stdout)[0], dockerd: JSON.parse(dockerd.stdout)[0] }
}

async function sameImage(name: string): Promise<void> {
  const { ours: mine, dockerd } = await inspected(name)
  expect(mine.Config).toEqual(dockerd.Config)
  expect([mine.Author, mine.Comment]).toEqual([dockerd.Author, dockerd.Comment])
  expect(mine.RootFS.Layers).toHaveLength(dockerd.RootFS.Layers.length)
  const history = await scene.both('history', '--no-trunc', '--format', '{{.CreatedBy}}|{{.Comment}}', name)
  expect(history.ours.stdout).toBe(history.dockerd.stdout)
}

const make = (name: string, script: string, ...options: string[]) =>
  scene.onBoth('run', '--name', name, '--network', 'none', ...options, busybox, 'sh', '-c', script)

test('what a container changed is in the image, with its config and history', async () => {
  const options = ['-e', 'A=b', '-l', 'x=y', '-w', '/work', '--user', '5', '--expose', '80', '--stop-signal', 'USR1']
  await make('changed', 'true', ...options)
  await scene.onBoth('commit', '-a', 'Jane Doe', '-m', 'a "word" <&>', 'changed', 'made:one')
  await sameImage('made:one')

  await make('files', 'echo new >/new; rm /etc/passwd; rm -r /root; mkdir /root; chmod 700 /tmp')
  await scene.onBoth('commit', 'files', 'made:two')
  await sameImage('made:two')
  const look = ['run', '--rm', '--network', 'none', 'made:two', 'sh', '-c']
  const shown = await scene.both(...look, 'cat /new; ls -a /root; ls /etc/passwd; stat -c %a /tmp')
  expect(shown.ours).toEqual(shown.dockerd)
  expect(shown.ours.stdout).toBe('new\n.\n..\n700\n')
})

test('changes are applied, and what a body says goes before the container’s config', async () => {
  await make('base', ': >/file', '-e', 'KEPT=1', '--entrypoint', '/bin/busybox')
  const changes = ['CMD ["/x", "y"]', 'ENV NEW=2 KEPT=3', 'LABEL a=b', 'EXPOSE 90/udp', 'VOLUME /data', 'WORKDIR rel']
  await scene.onBoth('commit', ...changes.flatMap((change) => ['--change', change]), 'base', 'made:changes')
  await sameImage('made:changes')
  await scene.onBoth('commit', '-c', 'ENTRYPOINT ["/only"]', 'base', 'made:entrypoint')
  await sameImage('made:entrypoint')

  const path = '/commit?container=base&repo=made&tag=body&author=me'
  const body = { Cmd: ['from', 'body'], Env: ['KEPT=body'], Labels: { l: 'm' }, User: '7' }
  expect((await ours.request('POST', path, body)).status).toBe(201)
  expect((await scene.askPeer(path, 'POST', JSON.stringify(body))).status).toBe(201)
  await sameImage('made:body')
  for (const empty of ['{}', 'null', '{"HostConfig":{}}']) {
    const target = '/commit?container=base&repo=made&tag=empty'
    expect({ empty, status: (await ours.request('POST', target, JSON.parse(empty))).status }).toEqual({
      empty,
      status: 201,
    })
    expect({ empty, status: (await scene.askPeer(target, 'POST', empty)).status }).toEqual({ empty, status: 201 })
    await sameImage('made:empty')
  }
  const bad = await scene.both('commit', '--change', 'RUN x', 'base', 'made:bad')
  expect(bad.ours).toEqual(bad.dockerd)
})

test('a container that changed nothing adds no layer', async () => {
  await scene.onBoth('create', '--name', 'fresh', '--network', 'none', busybox)
  await make('untouched', 'true')
  for (const name of ['fresh', 'untouched']) {
    await scene.onBoth('commit', name, `made:${name}`)
    await sameImage(`made:${name}`)
    const { ours: mine } = await inspected(`made:${name}`)
    expect(mine.RootFS.Layers).toEqual((await inspected(busybox)).ours.RootFS.Layers)
  }
})

test('answers and events are dockerd’s', async () => {
  await make('told', ': >/x')
  for (const path of [
    '/commit?container=nobody',
    '/commit?container=told&repo=UPPER',
    '/commit?container=told&repo=a&tag=b/c',
  ]) {
    const { status, body } = await ours.request('POST', path)
    const dockerd = await scene.askPeer(path, 'POST')
    expect({ path, status, body: JSON.parse(body) }).toEqual({
      path,
      status: dockerd.status,
      body: JSON.parse(dockerd.body),
    })
  }
  await scene.onBoth('run', '-d', '--name', 'running', '--network', 'none', busybox, 'sleep', '1000')
  const since = (Date.now() / 1000).toFixed(3)
  await scene.onBoth('commit', '-m', 'why', 'running', 'made:told')
  await scene.onBoth('commit', '--pause=false', 'running')
  const until = Math.floor(Date.now() / 1000) + 1
  const format =
    '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.imageRef}} {{.Actor.Attributes.comment}}'
  const told = await scene.both('events', '--since', `${since}`, '--until', `${until}`, '--format', format)
  const known = (text: string) =>
    lines(text.replaceAll(/sha256:[0-9a-f]+/g, 'ID')).filter((line) => /^image|pause|commit/.test(line))
  expect(known(told.ours.stdout)).toEqual(known(told.dockerd.stdout))
  expect(told.ours.stdout).toContain('container commit running made:told why')
  expect((await ours.docker('inspect', '-f', '{{.State.Status}}', 'running')).stdout).toBe('running\n')
  await scene.onBoth('rm', '-f', 'running')
})

test('our own command makes the same, and the image survives its container and goes without a trace', async () => {
  const berth = berthFor(ours)
  await ours.docker('run', '--name', 'mine', busybox, 'sh', '-c', 'echo kept >/kept')
  const { stdout, code } = await berth(
    'commit',
    '-a',
    'me',
    '-m',
    'it',
    '-c',
    'CMD ["cat", "/kept"]',
    'mine',
    'mine:v1',
  )
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/) })
  await ours.docker('rm', 'mine')
  expect((await ours.docker('run', '--rm', 'mine:v1')).stdout).toBe('kept\n')
  const blobs = () => readdir(join(ours.dataRoot, 'content/blobs/sha256'))
  const before = (await blobs()).length
  expect((await ours.docker('rmi', 'mine:v1')).code).toBe(0)
  // Its layer, config and manifest.
  await waitFor('its content is gone', async () => (await blobs()).length === before - 3)
})

test('a file that no layer can hold, and a killed daemon, leave the container running and nothing else', async () => {
  await ours.docker('run', '-d', '--name', 'busy', busybox, 'sh', '-c', ': >/.wh.x; sleep 1000')
  const blobs = () => readdir(join(ours.dataRoot, 'content/blobs/sha256'))
  const ingests = () => readdir(join(ours.dataRoot, 'content/ingest'))
  const before = await blobs()
  const refused = await ours.docker('commit', 'busy')
  expect(refused.stderr).toContain("'.wh.x' has no place in a layer")
  const status = async () => (await ours.docker('inspect', '-f', '{{.State.Status}}', 'busy')).stdout
  expect(await status()).toBe('running\n')
  expect([await blobs(), await ingests()]).toEqual([before, []])

  await ours.docker('exec', 'busy', 'sh', '-c', 'rm /.wh.x; dd if=/dev/zero of=/large bs=1M count=400 2>/dev/null')
  const committing = ours.request('POST', '/commit?container=busy').catch(() => undefined)
  await waitFor('it is paused', async () => (await status()) === 'paused\n')
  await ours.kill9()
  await committing
  await ours.start()
  expect(await status()).toBe('running\n')
  expect((await ours.docker('exec', 'busy', 'echo', 'alive')).stdout).toBe('alive\n')
  expect([(await blobs()).toSorted(), await ingests()]).toEqual([before.toSorted(), []])
  await ours.docker('rm', '-f', 'busy')
})

test('a container that is removed meanwhile leaves no half image; two commits at once wait for each other', async () => {
  const script = 'dd if=/dev/zero of=/large bs=1M count=300 2>/dev/null; : >/ready; sleep 1000'
  await ours.docker('run', '-d', '--name', 'going', busybox, 'sh', '-c', script)
  await waitFor('it is written', async () => (await ours.docker('exec', 'going', 'test', '-e', '/ready')).code === 0)
  const [one, two] = await Promise.all([ours.docker('commit', 'going'), ours.docker('commit', 'going')])
  expect([one.code, two.code]).toEqual([0, 0])
  const status = async () => (await ours.docker('inspect', '-f', '{{.State.Status}}', 'going')).stdout
  expect(await status()).toBe('running\n')
  await ours.docker('image', 'prune', '-f')

  const images = async () => (await ours.docker('images', '-aq', '--no-trunc')).stdout
  const before = await images()
  const committing = ours.request('POST', '/commit?container=going')
  await waitFor('it is paused', async () => (await status()) === 'paused\n')
  const waiting = [1, 2].map(() => ours.request('POST', '/commit?container=going&pause=0'))
  expect((await ours.docker('rm', '-f', 'going')).code).toBe(0)
  expect(await committing).toMatchObject({ status: 409, body: expect.stringContaining('was removed while its files') })
  for (const { body } of await Promise.all(waiting))
    expect(body).toMatch(/No such container: going|was removed while its files were read/)
  expect(await images()).toBe(before)
  expect(await readdir(join(ours.dataRoot, 'content/ingest'))).toEqual([])
})
