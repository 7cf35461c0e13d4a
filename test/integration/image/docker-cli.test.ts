import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { shortId } from '#base/ids.ts'
import { buildImage, buildIndex } from '#test/support/base-image.ts'
import { startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { seedRegistry, startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'

const host = '127.0.0.1:5000'
const base = buildImage()
const app = buildImage({ layers: [tar([{ name: 'app', content: 'app' }])], author: 'app' })
const arm64 = buildImage({
  layers: [tar([{ name: 'arm', content: 'arm' }])],
  platform: { os: 'linux', architecture: 'arm64' },
})
const big = buildImage({ layers: [tar([{ name: 'big', content: randomBytes(30_000_000) }])] })

let daemon: TestDaemon
let registry: TestRegistry

beforeAll(async () => {
  daemon = await startDaemon({ withImage: false, args: ['--registry-mirror', `http://${host}`] })
  const storage = join(daemon.directory, 'storage')
  await seedRegistry(storage, {
    'library/busybox:latest': base,
    'app:one': app,
    'app:two': base,
    'arm:latest': buildIndex([arm64]),
    'big:latest': big,
  })
  registry = await startRegistry({ storage, enter: daemon.enter, port: 5000 })
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
  await daemon[Symbol.asyncDispose]()
})

const docker = (...args: readonly string[]) => daemon.docker(...args)

test('docker pull prints what it prints with dockerd, once for a new image and once for one that is there', async () => {
  const first = await docker('pull', 'busybox')
  const layer = base.layers[0]?.digest.slice(7, 19)
  expect(first).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      'Using default tag: latest',
      'latest: Pulling from library/busybox',
      `${layer}: Pulling fs layer`,
      `${layer}: Verifying Checksum`,
      `${layer}: Download complete`,
      `${layer}: Pull complete`,
      `Digest: ${base.root.digest}`,
      'Status: Downloaded newer image for busybox:latest',
      'docker.io/library/busybox:latest\n',
    ].join('\n'),
  })
  const second = await docker('pull', 'busybox')
  expect(second.stdout).toContain('\nStatus: Image is up to date for busybox:latest\n')
  expect((await docker('run', '--rm', '--network', 'none', 'busybox', 'echo', 'hi')).stdout).toBe('hi\n')
})

test('all tags, digests and names are listed, and go as docker takes them away', async () => {
  expect((await docker('pull', '-q', '-a', `${host}/app`)).stdout).toBe(`${host}/app\n`)
  expect((await docker('pull', '-q', `${host}/app@${app.root.digest}`)).code).toBe(0)
  expect((await docker('tag', `${host}/app:one`, 'mine:v1')).code).toBe(0)
  const format = '{{.Repository}}:{{.Tag}} {{.ID}}'
  const listed = await docker('images', '--format', format, '--filter', 'reference=*/app', '--filter', 'reference=mine')
  expect(listed.stdout.trim().split('\n').toSorted()).toEqual([
    `${host}/app:one ${shortId(app.id)}`,
    `${host}/app:two ${shortId(base.id)}`,
    `mine:v1 ${shortId(app.id)}`,
  ])
  const refused = await docker('rmi', shortId(app.id))
  expect([refused.code, refused.stderr]).toEqual([
    1,
    `Error response from daemon: conflict: unable to delete ${shortId(app.id)} (must be forced) - image is referenced in multiple repositories\n`,
  ])
  expect((await docker('rmi', 'mine:v1', `${host}/app:one`)).stdout.split('\n')).toEqual([
    'Untagged: mine:v1',
    `Untagged: ${host}/app:one`,
    `Untagged: ${host}/app@${app.root.digest}`,
    `Deleted: ${app.id}`,
    expect.stringMatching(/^Deleted: sha256:/),
    '',
  ])
})

test.each([
  [[`${host}/nosuch`], `manifest for ${host}/nosuch:latest not found: manifest unknown: manifest unknown`],
  [['nosuch:v1'], 'manifest for nosuch:v1 not found: manifest unknown: manifest unknown'],
  [
    ['-a', `${host}/nosuch`],
    `repository ${host}/nosuch not found: name unknown: repository name not known to registry`,
  ],
])('docker pull %s says what dockerd says', async (args, message) => {
  const { code, stderr } = await docker('pull', ...args)
  expect([code, stderr]).toEqual([1, `Error response from daemon: ${message}\n`])
})

test('an image for another machine only is told in the stream', async () => {
  const { code, stderr } = await docker('pull', '--platform', 'linux/s390x', `${host}/arm`)
  expect([code, stderr]).toEqual([1, 'no matching manifest for linux/s390x in the manifest list entries\n'])
})

test('a client that goes away in the middle of a pull leaves nothing behind', async () => {
  const before = await contentOf(daemon)
  const leave = new AbortController()
  await untilDownloading(daemon, leave.signal)
  leave.abort()
  // Its end has no event that reaches us: the pull that follows must simply work, and once it does nothing is left but its own.
  expect((await docker('pull', '-q', `${host}/big`)).code).toBe(0)
  expect((await docker('rmi', `${host}/big`)).code).toBe(0)
  expect(await contentOf(daemon)).toEqual(before)
})

test('a daemon that is killed in the middle of a pull keeps only what was downloaded, until the next pull', async () => {
  const before = await contentOf(daemon)
  await untilDownloading(daemon, new AbortController().signal)
  await daemon.kill9()
  await daemon.start()
  expect({ ...(await contentOf(daemon)), ingests: [] }).toEqual(before)
  expect((await docker('pull', '-q', `${host}/big`)).code).toBe(0)
  expect(await contentOf(daemon)).toMatchObject({ ingests: [] })
})

test('an image below a running container cannot be taken away, below a stopped one only by force', async () => {
  const container = await daemon.runDetached('--network', 'none', 'busybox', 'sleep', '1000')
  const [image, user] = [shortId(base.id), shortId(container)]
  const running = await docker('rmi', '-f', image)
  expect(running.stderr).toBe(
    `Error response from daemon: conflict: unable to delete ${image} (cannot be forced) - image is being used by running container ${user}\n`,
  )
  await docker('kill', container)
  await docker('wait', container)
  await docker('rmi', `${host}/app:two`)
  const stopped = await docker('rmi', 'busybox')
  expect(stopped.stderr).toBe(
    `Error response from daemon: conflict: unable to remove repository reference "busybox" (must force) - container ${user} is using its referenced image ${image}\n`,
  )
  await docker('rm', container)
})

/** Begins a pull of the big image and resolves when bytes are coming. */
async function untilDownloading(of: TestDaemon, signal: AbortSignal): Promise<void> {
  const response = await of.open('POST', `/images/create?fromImage=${host}/big&tag=latest`, undefined, { signal })
  response.on('error', () => undefined)
  let seen = ''
  for await (const chunk of response.iterator({ destroyOnReturn: false })) {
    seen += String(chunk)
    if (seen.includes('"Downloading"')) return
  }
  throw new Error(`no download in ${seen}`)
}

async function contentOf({ dataRoot }: TestDaemon): Promise<object> {
  const [blobs, ingests, snapshots] = await Promise.all(
    ['content/blobs/sha256', 'content/ingest', 'snapshots'].map((path) => readdir(join(dataRoot, path))),
  )
  return { blobs, ingests, snapshots: snapshots?.length }
}
