/** The same requests to dockerd and to us, side by side: lists, disk usage, removal and prune answer alike. */
import { execFile } from 'node:child_process'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildImage, buildIndex, busyboxLayer } from '../../support/base-image.ts'
import { type CommandResult, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { type Dockerd, dockerCli, startDockerd } from '../../support/dockerd.ts'
import { seedRegistry, startRegistry } from '../../support/registry.ts'
import { tar } from '../../support/tar.ts'
import { tempDirectory } from '../../support/temp.ts'

const mainProgram = join(import.meta.dirname, '../../../src/main.ts')
const stack = new AsyncDisposableStack()
let peer: Dockerd
let ours: TestDaemon
let registry = ''

const base = busyboxLayer()
const [one, two] = [300_000, 500_000].map((size, fill) =>
  tar([{ name: `f${fill}`, content: Buffer.alloc(size, fill) }]),
)
if (!one || !two) throw new Error('two layers')
const a = buildImage({ layers: [base, one], created: '2026-01-01T00:00:00Z', config: { Labels: { tier: 'web' } } })
const b = buildImage({ layers: [base, two], created: '2026-01-02T00:00:00Z', config: { Cmd: ['sh'] } })
const c = buildImage({ layers: [base, one, two], created: '2026-01-03T00:00:00Z', config: { Labels: { tier: 'db' } } })
const index = buildIndex([buildImage({ layers: [two], created: '2026-01-04T00:00:00Z' })])

beforeAll(async () => {
  const { path } = stack.use(await tempDirectory('berth-dockerd-'))
  const storage = join(path, 'registry')
  await seedRegistry(storage, { 'a:latest': a, 'b:latest': b, 'c:latest': c, 'c:two': c, 'i:latest': index })
  const theirs = stack.use(await startRegistry({ storage }))
  registry = theirs.host
  // Without networks it leaves the firewall alone.
  const quiet = ['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--ip-forward=false']
  peer = stack.use(await startDockerd(path, [...quiet, '--storage-driver', 'vfs']))
  ours = stack.use(await startDaemon({ withImage: false }))
  await ours.docker('rmi', 'berth/hello')
  stack.use(await startRegistry({ storage, enter: ours.enter, port: Number(registry.split(':')[1]) }))
})
afterAll(() => stack.disposeAsync())

/** On both; the answers, made comparable. */
async function both(...args: readonly string[]): Promise<{ ours: CommandResult; dockerd: CommandResult }> {
  const dockerd = await run(args)
  return { ours: plain(await ours.docker(...args)), dockerd: plain(dockerd) }
}

async function same(...args: readonly string[]): Promise<CommandResult> {
  const answer = await both(...args)
  expect.soft({ args, ...answer.ours }).toEqual({ args, ...answer.dockerd })
  return answer.ours
}

function run(args: readonly string[]): Promise<CommandResult> {
  const { promise, resolve } = Promise.withResolvers<CommandResult>()
  const env = { ...process.env, DOCKER_HOST: peer.host }
  execFile(dockerCli(), args, { env }, (error, stdout, stderr) => {
    resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr })
  })
  return promise
}

/** Sizes are of the disk with us, of the files with dockerd; ids of containers are by chance. */
function plain({ code, stdout, stderr }: CommandResult): CommandResult {
  const hidden = (text: string) =>
    text
      .replaceAll(/\b[1-9]\d*(\.\d+)?[kMG]?B\b/g, 'SIZE')
      .replaceAll(/SIZE \(\d+%\)/g, 'SIZE (SHARE)')
      .replaceAll(/ {2,}/g, '  ')
  const ids = (text: string) => text.replaceAll(/(?<![0-9a-f:])[0-9a-f]{64}\b/g, 'CONTAINER')
  const sorted = (text: string) => (/Deleted Images/.test(text) ? text.split('\n').toSorted().join('\n') : text)
  return { code, stdout: sorted(ids(hidden(stdout))), stderr: stderr.replaceAll(/(container )[0-9a-f]{12}/g, '$1ID') }
}

/** The tables of `system df -v`, without the ids, sizes and times of containers. */
function sections(text: string): string {
  return text.replaceAll(/^[0-9a-f]{12} {2}(\S+) {2}.* {2}(\S+)$/gm, '$1 $2')
}

/** Seconds pass between two looks. */
const withoutAges = (text: string) =>
  text.replaceAll(/(Less than a second|\d+ seconds?)/g, 'AGE').replaceAll(/ {2,}/g, '  ')

interface Answer {
  readonly status: number
  readonly body: unknown
}

async function sameAnswer(method: string, path: string): Promise<unknown> {
  const [mine, theirs] = await Promise.all([ask(ours.socket, method, path), ask(peer.host.slice(7), method, path)])
  expect.soft({ path, ...mine }).toEqual({ path, ...theirs })
  return mine.body
}

async function ask(socketPath: string, method: string, path: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const sent = request({ socketPath, method, path, agent: false }, async (response) => {
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    resolve({ status: response.statusCode ?? 0, body: comparable(JSON.parse(Buffer.concat(chunks).toString())) })
  })
  sent.on('error', reject).end()
  return promise
}

/** Without what differs by design: sizes, times, ids of containers, and fields that only one of the two has. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !/^(Descriptor|ImageManifestDescriptor|NetworkSettings|SizeRw|Status)$/.test(key))
      .map(([key, one]) => {
        if (/Size|Reclaimed/.test(key) && typeof one === 'number') return [key, one > 0 ? 'some' : one]
        if (key === 'Created' && Number(one) > 1_770_000_000) return [key, 'now']
        return [key, key === 'Id' && !String(one).startsWith('sha256') ? 'CONTAINER' : comparable(one)]
      }),
  )
}

const filters = (value: object) => `filters=${encodeURIComponent(JSON.stringify(value))}`

test('lists, disk usage, removals and prune answer as with dockerd', { timeout: 120_000 }, async () => {
  for (const name of ['a', 'b', 'c', 'c:two', 'i']) await both('pull', '-q', `${registry}/${name}`)
  await same('tag', `${registry}/a`, 'mine:v1')
  await both('run', '-d', '--name', 'runs', '--network', 'none', `${registry}/a`, 'sleep', '1000')
  await same('run', '--name', 'wrote', '--network', 'none', `${registry}/b`, 'sh', '-c', 'echo x >/x')
  await both('create', '--name', 'made', '--label', 'x=y', '--network', 'none', `${registry}/b`, 'sh')

  for (const version of ['v1.43', 'v1.51']) {
    await sameAnswer('GET', `/${version}/images/json`)
    await sameAnswer('GET', `/${version}/images/json?shared-size=1`)
    await sameAnswer('GET', `/${version}/system/df`)
  }
  for (const type of ['image', 'container', 'volume', 'build-cache', 'nope']) {
    await sameAnswer('GET', `/v1.51/system/df?type=${type}`)
  }
  await sameAnswer('GET', '/v1.51/system/df?type=image&type=container')
  await same('system', 'df')
  const verbose = await both('system', 'df', '-v')
  expect.soft(sections(verbose.ours.stdout)).toEqual(sections(verbose.dockerd.stdout))

  for (const words of [['df'], ['df', '-v'], ['df', '--format', 'json']]) {
    const own = await ours.run([process.execPath, mainProgram, 'system', ...words])
    expect.soft(withoutAges(own.stdout)).toBe(withoutAges((await ours.docker('system', ...words)).stdout))
  }

  for (const bad of [{ nope: ['1'] }, { dangling: ['x'] }]) {
    await sameAnswer('POST', `/v1.51/images/prune?${filters(bad)}`)
  }
  await sameAnswer('POST', `/v1.51/containers/prune?${filters({ nope: ['1'] })}`)
  await sameAnswer('POST', `/v1.51/containers/prune?${filters({ until: ['x'] })}`)
  await sameAnswer('POST', `/v1.51/containers/prune?${filters({ until: ['1', '2'] })}`)
  await sameAnswer('POST', '/v1.51/images/prune')

  await same('rmi', `${registry}/b`)
  await same('rmi', '-f', `${registry}/a`)
  await same('rmi', '-f', 'mine:v1')
  await same('tag', a.id, 'mine:v1')
  await same('rmi', '-f', a.id)
  await same('rmi', '-f', `${registry}/c`)
  await same('rmi', `${registry}/c:two`)
  await both('pull', '-q', `${registry}/c`)
  await same('tag', `${registry}/b`, `${registry}/c:latest`)
  const listed = await both('images', '--digests', '--format', '{{.Repository}} {{.Tag}} {{.Digest}} {{.ID}}')
  // The order of an image's names is by chance there.
  expect.soft(listed.ours.stdout.split('\n').toSorted()).toEqual(listed.dockerd.stdout.split('\n').toSorted())
  await sameAnswer('GET', `/v1.51/images/json?${filters({ dangling: ['true'] })}`)
  await sameAnswer('GET', `/v1.51/images/json?${filters({ dangling: ['false'] })}`)
  await same('rmi', `${registry}/c@${c.root.digest}`)

  await both('pull', '-q', `${registry}/c:two`)
  await same('tag', `${registry}/c:two`, 'extra:1')
  await same('rmi', c.id.slice(7, 19))
  await same('image', 'prune', '-f', '-a', '--filter', 'label=tier=web')
  await same('image', 'prune', '-f', '-a', '--filter', 'label!=tier=db')
  await same('image', 'prune', '-f', '-a', '--filter', 'until=2025-01-01')
  await same('image', 'prune', '-f', '-a')
  await same('container', 'prune', '-f', '--filter', 'label=x=z')
  await same('container', 'prune', '-f', '--filter', 'label=x=y')
  await same('container', 'prune', '-f')
  await both('rm', '-f', 'runs')
  await same('system', 'prune', '-f', '-a')
  await same('system', 'df')
  await sameAnswer('GET', '/v1.51/images/json')
  for (const what of ['containers', 'images', 'networks', 'volumes', 'build']) {
    await sameAnswer('POST', `/v1.51/${what}/prune`)
  }
})

test('parents, children and what goes with them are as with dockerd', { timeout: 120_000 }, async () => {
  const name = `${registry}/b`
  await both('pull', '-q', name)
  const ids = { ours: new Map<string, string>(), dockerd: new Map<string, string>() }
  const commit = async (from: string, to: string) => {
    await both('create', '--network', 'none', '--name', `of-${to}`, from, 'true')
    const made = await both('commit', `of-${to}`, to)
    for (const one of ['ours', 'dockerd'] as const) ids[one].set(made[one].stdout.trim().slice(7), to)
    await both('rm', `of-${to}`)
  }
  /** Ids of what was committed are of a moment: their names stand for them. */
  const named = (one: 'ours' | 'dockerd', { code, stdout, stderr }: CommandResult) =>
    [...ids[one]].reduce(
      (text, [id, to]) => text.replaceAll(id, to).replaceAll(id.slice(0, 12), to),
      `${code}\n${stdout}${stderr}`,
    )
  const compare = async (...args: readonly string[]) => {
    const to = (one: 'ours' | 'dockerd') =>
      args.map((word) => [...ids[one]].find(([, known]) => `ID:${known}` === word)?.[0] ?? word)
    const [mine, theirs] = [await ours.docker(...to('ours')), await run(to('dockerd'))].map(plain)
    // What was made in one second is listed by chance.
    const ordered = (text: string) => (args[0] === 'images' ? text.split('\n').toSorted() : text)
    const shown = named('ours', mine as CommandResult)
    const peers = named('dockerd', theirs as CommandResult)
    expect.soft({ args, shown: ordered(shown) }).toEqual({ args, shown: ordered(peers) })
    return shown
  }
  const lists = async () => {
    for (const flags of [[], ['-a'], ['-f', 'dangling=true'], ['-f', 'dangling=false']]) {
      await compare('images', '--no-trunc', '--format', '{{.Repository}} {{.Tag}} {{.ID}}', ...flags)
    }
  }
  await commit(name, 'middle')
  await commit('middle', 'top')
  await commit('middle', 'side')
  await compare('inspect', '-f', '{{.Parent}}', 'top', 'middle', name)
  await compare('history', '--no-trunc', '--format', '{{.ID}} {{.CreatedBy}}', 'top')
  expect(await compare('rmi', 'ID:middle')).toContain('image has dependent child images')
  await compare('rmi', '-f', 'ID:middle')
  await compare('rmi', 'middle')
  await lists()
  await compare('image', 'prune', '-f')
  await compare('rmi', 'side')
  await lists()
  expect(await compare('rmi', '--no-prune', 'top')).not.toContain('Deleted: sha256:middle')
  await lists()
  await compare('image', 'prune', '-f')
  await lists()
  await commit(name, 'low')
  await commit('low', 'high')
  await compare('tag', 'high', 'higher')
  await compare('rmi', 'low', 'high')
  expect(await compare('rmi', 'higher')).toContain('Deleted: sha256:low')
  await compare('rmi', name)
  await lists()
})
