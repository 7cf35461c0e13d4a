/** dockerd, podman, skopeo and umoci read what we save and keep, and we load what they save: the same ids, the same bytes. */
import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Digest, encodedOf } from '#base/digest.ts'
import { buildImage, busyboxLayer, type TestImage } from '#test/support/base-image.ts'
import { type CommandResult, startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { type Dockerd, dockerCli, startDockerd } from '#test/support/dockerd.ts'
import { writeLayout } from '#test/support/layout.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { waitFor } from '#test/support/wait-for.ts'
import { berthCommand, berthFor } from '../cli/client.ts'
import { Podman } from '../runtime/podman.ts'

const run = promisify(execFile)
const stack = new AsyncDisposableStack()
// The last layer is larger than what is read at a time.
const image = buildImage({
  layers: [
    busyboxLayer(),
    tar([{ name: 'etc/motd', content: 'hello' }]),
    tar([{ name: 'noise', content: randomBytes((5 << 20) + 1) }]),
  ],
})

let daemon: TestDaemon
let peer: Dockerd
let podman: Podman
/** Where the archives are. */
let directory: string
let layoutArchive: string

beforeAll(async () => {
  daemon = stack.use(await startDaemon({ withImage: false }))
  const { path } = stack.use(await tempDirectory('berth-archives-'))
  directory = path
  const quiet = ['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--ip-forward=false']
  await mkdir(join(path, 'dockerd'))
  peer = stack.use(await startDockerd(join(path, 'dockerd'), [...quiet, '--storage-driver', 'vfs']))
  podman = stack.use(await Podman.start())
  layoutArchive = join(path, 'layout.tar')
  await writeLayout(join(path, 'layout'), image)
  execFileSync('tar', ['-cf', layoutArchive, '-C', join(path, 'layout'), '.'])
})
afterAll(() => stack.disposeAsync())

/** `index.json` */
interface Listing {
  readonly manifests: readonly { digest: Digest; annotations?: Readonly<Record<string, string>> }[]
}

const ours = (...args: readonly string[]) => daemon.docker(...args)

async function theirs(...args: readonly string[]): Promise<string> {
  return (await run(dockerCli(), [...args], { env: { ...process.env, DOCKER_HOST: peer.host } })).stdout
}

/** Loads the image from a layout that has no name for it, and names it. */
async function loadLayout(name: string): Promise<void> {
  expect(await ours('load', '-i', layoutArchive)).toEqual(printed(`Loaded image ID: ${image.id}\n`))
  expect(await ours('tag', image.id, name)).toMatchObject({ code: 0 })
}

const printed = (stdout: string): CommandResult => ({ code: 0, stdout, stderr: '' })

/** The plain bytes of an image's layers in an archive, the lowest first, by its manifest.json. */
async function layersIn(archive: string): Promise<Buffer[]> {
  const member = (name: string) => execFileSync('tar', ['-xOf', archive, name], { maxBuffer: 1 << 30 })
  const [entry] = JSON.parse(member('manifest.json').toString()) as { Layers: string[] }[]
  return (entry?.Layers ?? []).map(member).map((bytes) => {
    return bytes[0] === 0x1f && bytes[1] === 0x8b
      ? execFileSync('gzip', ['-dc'], { input: bytes, maxBuffer: 1 << 30 })
      : bytes
  })
}

const plainLayers = (one: TestImage) =>
  one.layers.map(({ bytes }) => execFileSync('gzip', ['-dc'], { input: bytes, maxBuffer: 1 << 30 }))

test('dockerd loads what we save, and we what it saves: one id, one set of layers', async () => {
  await loadLayout('app:v1')
  const [first, second] = [join(directory, 'first.tar'), join(directory, 'second.tar')]
  expect(await ours('save', '-o', first, 'app:v1')).toEqual(printed(''))
  expect(await theirs('load', '-i', first)).toBe('Loaded image: app:v1\n')
  expect(await theirs('image', 'inspect', '--format', '{{.Id}}', 'app:v1')).toBe(`${image.id}\n`)
  await theirs('save', '-o', second, 'app:v1')
  expect(await ours('rmi', 'app:v1')).toMatchObject({ code: 0 })

  expect(await ours('load', '-i', second)).toEqual(printed('Loaded image: app:v1\n'))
  expect((await ours('image', 'inspect', '--format', '{{.Id}}', 'app:v1')).stdout).toBe(`${image.id}\n`)
  const third = join(directory, 'third.tar')
  expect(await ours('save', '-o', third, 'app:v1')).toEqual(printed(''))
  for (const archive of [first, second, third]) expect(await layersIn(archive)).toEqual(plainLayers(image))
  expect((await ours('run', '--rm', '--network', 'none', 'app:v1', 'cat', '/etc/motd')).stdout).toBe('hello')
  expect(await ours('rmi', 'app:v1')).toMatchObject({ code: 0 })
})

test.each(['docker-archive', 'oci-archive'])(
  'podman loads what we save, and we what it saves as %s',
  async (format) => {
    await loadLayout('app:v1')
    const [first, second] = [join(directory, `first-${format}.tar`), join(directory, `second-${format}.tar`)]
    expect(await ours('save', '-o', first, 'app:v1')).toEqual(printed(''))
    expect(await podman.get('load', '-q', '-i', first)).toContain('docker.io/library/app:v1')
    expect(await podman.get('image', 'inspect', '--format', '{{.Id}}', 'app:v1')).toBe(`${encodedOf(image.id)}\n`)
    await podman.get('save', '-q', '--format', format, '-o', second, 'app:v1')
    expect(await ours('rmi', 'app:v1')).toMatchObject({ code: 0 })

    expect(await ours('load', '-i', second)).toEqual(printed('Loaded image: app:v1\n'))
    expect((await ours('image', 'inspect', '--format', '{{.Id}}', 'app:v1')).stdout).toBe(`${image.id}\n`)
    expect(await ours('rmi', 'app:v1')).toMatchObject({ code: 0 })
  },
)

test('skopeo and umoci read what we save, and the content store itself by the names of its images', async () => {
  await loadLayout('me/app:v1')
  const archive = join(directory, 'skopeo.tar')
  expect(await ours('save', '-o', archive, 'me/app:v1')).toEqual(printed(''))
  const content = join(daemon.dataRoot, 'content')
  await waitFor('the image is in index.json', async () =>
    (await readFile(join(content, 'index.json'), 'utf8')).includes('"me/app:v1"'),
  )
  for (const source of [`oci-archive:${archive}:v1`, `oci:${content}:me/app:v1`]) {
    const { stdout } = await run('skopeo', ['inspect', source])
    expect(JSON.parse(stdout)).toMatchObject({
      Digest: image.root.digest,
      Layers: image.layers.map(({ digest }) => digest),
    })
    const copy = join(directory, `copy-${source.startsWith('oci:')}`)
    await run('skopeo', ['copy', '-q', '--preserve-digests', source, `dir:${copy}`])
    for (const { digest, bytes } of image.layers) expect(await readFile(join(copy, encodedOf(digest)))).toEqual(bytes)
  }
  const names = (await run('umoci', ['ls', '--layout', content])).stdout.trim().split('\n')
  expect(names.toSorted()).toEqual(['berth/hello:latest', 'me/app:v1'])
  const { stdout } = await run('umoci', ['stat', '--json', '--image', `${content}:me/app:v1`])
  expect(JSON.parse(stdout)).toMatchObject({ history: [{ layer: { digest: image.layers[0]?.digest } }, {}, {}] })

  expect(await ours('rmi', 'me/app:v1')).toMatchObject({ code: 0 })
  await waitFor(
    'the image is gone from index.json',
    async () => !(await readFile(join(content, 'index.json'), 'utf8')).includes('me/app'),
  )
})

test('the content store names blobs that are there also where another compression stands in for a layer', async () => {
  const content = join(daemon.dataRoot, 'content')
  const blobs = async () => (await readdir(join(content, 'blobs/sha256'))).toSorted()
  const before = await blobs()
  await loadLayout('me/app:v1')
  const [first, second] = [join(directory, 'gzipped.tar'), join(directory, 'plain.tar')]
  expect(await ours('save', '-o', first, 'me/app:v1')).toEqual(printed(''))
  await theirs('load', '-i', first)
  await theirs('save', '-o', second, 'me/app:v1')
  expect(await ours('load', '-i', second)).toEqual(printed('Loaded image: me/app:v1\n'))

  expect(await ours('tag', 'me/app:v1', 'me/app:plain')).toMatchObject({ code: 0 })
  await waitFor('the loaded image is in index.json', async () =>
    (await readFile(join(content, 'index.json'), 'utf8')).includes('"me/app:plain"'),
  )
  const index = JSON.parse(await readFile(join(content, 'index.json'), 'utf8')) as Listing
  const listed = index.manifests.find(({ annotations = {} }) => Object.values(annotations).includes('me/app:plain'))
  const made = join(content, 'blobs/sha256', encodedOf(listed?.digest ?? image.id))
  for (const damage of [() => writeFile(made, 'damaged'), () => rm(made)]) {
    await damage()
    const repaired = await daemon.run([...berthCommand, 'system', 'check', '--repair'])
    expect([repaired.code, repaired.stdout]).toEqual([0, expect.stringContaining(`${listed?.digest}`)])
    expect(repaired.stdout).toContain('1 problem, 1 repaired')
  }
  const copy = join(directory, 'copy-of-plain')
  await run('skopeo', ['copy', '-q', '--preserve-digests', `oci:${content}:me/app:plain`, `dir:${copy}`])
  for (const { digest, bytes } of image.layers) expect(await readFile(join(copy, encodedOf(digest)))).toEqual(bytes)
  expect(await readdir(copy)).toContain(encodedOf(image.id))

  expect(await ours('rmi', '-f', image.id)).toMatchObject({ code: 0 })
  expect(await blobs()).toEqual(before)
})

test('index.json says what the database does after a daemon was killed', async () => {
  const index = join(daemon.dataRoot, 'content/index.json')
  await daemon.kill9()
  await writeFile(index, '{"schemaVersion":2,"manifests":[]}')
  await daemon.start()
  await waitFor('index.json names the image', async () =>
    (await readFile(index, 'utf8')).includes('berth/hello:latest'),
  )
})

test('berth saves, loads and imports as docker does', async () => {
  const berth = berthFor(daemon)
  await loadLayout('app:v1')
  const archive = join(directory, 'berth.tar')
  expect(await berth('save', '-o', archive, 'app:v1')).toEqual(printed(''))
  expect(await layersIn(archive)).toEqual(plainLayers(image))
  expect(await berth('load', '-i', archive)).toEqual(printed('Loaded image: app:v1\n'))
  expect(
    await daemon.run(['sh', '-c', `${berthCommand.join(' ')} save app:v1 | ${berthCommand.join(' ')} load`]),
  ).toEqual(printed('Loaded image: app:v1\n'))
  const layer = join(directory, 'layer.tar.gz')
  await writeFile(layer, image.layers[0]?.bytes ?? '')
  const imported = await berth('import', '-c', 'CMD ["sh"]', '-m', 'from here', layer, 'mine:v2')
  expect(imported).toEqual(printed(expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/) as unknown as string))
  const inspected = await ours('image', 'inspect', '--format', '{{.Id}} {{.Comment}} {{json .Config.Cmd}}', 'mine:v2')
  expect(inspected.stdout).toBe(`${imported.stdout.trim()} from here ["sh"]\n`)
  expect(await berth('save', '-o', '/nowhere/x', 'app:v1')).toMatchObject({
    code: 1,
    stderr: 'failed to save image: invalid output path: stat /nowhere: no such file or directory\n',
  })
  expect(await berth('load', '-i', join(directory, 'none'))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no such file or directory'),
  })
  expect(await berth('load', '-i', layer)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('the archive holds no images'),
  })
  expect(await berth('save', 'nosuch')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('No such image: nosuch'),
  })
  expect(await ours('rmi', 'app:v1', 'mine:v2')).toMatchObject({ code: 0 })
})

/** Status and body of one request. */
async function askOf(host: string, method: string, path: string): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const headers = { 'content-type': 'application/x-tar' }
  request({ socketPath: host.replace('unix://', ''), method, path, headers, agent: false }, resolve)
    .on('error', reject)
    .end()
  const response = await promise
  return { status: response.statusCode ?? 0, body: (await text(response)).trim() }
}

test.each([
  ['GET', '/images/nosuch/get'],
  ['GET', '/images/aaaaaaaaaaaa/get'],
  ['GET', '/images/UPPER/get'],
  ['GET', '/images/get?names=nosuch'],
  ['GET', '/v1.51/images/nosuch/get?platform=xx'],
  ['POST', '/v1.51/images/load?platform=xx'],
  ['POST', '/images/create?fromSrc=-&repo=UPPER'],
  ['POST', '/images/create?fromSrc=-&repo=a&tag=b%20c'],
  ['POST', `/images/create?fromSrc=-&repo=a@sha256:${'1'.repeat(64)}`],
  ['POST', '/images/create?fromSrc=-&platform=windows/amd64'],
  ['POST', '/images/create?fromSrc=-&changes=FOO%20bar'],
  ['POST', '/images/create?fromSrc=-&changes=ENV%20a'],
])('%s %s is answered as dockerd answers it', async (method, path) => {
  expect(await askOf(daemon.host, method, path)).toEqual(await askOf(peer.host, method, path))
})

test('a daemon that is killed in the middle of a load starts as if nothing had been sent', async () => {
  const state = async () => ({
    blobs: (await readdir(join(daemon.dataRoot, 'content/blobs/sha256'))).toSorted(),
    ingests: await readdir(join(daemon.dataRoot, 'content/ingest')),
    snapshots: (await readdir(join(daemon.dataRoot, 'snapshots'))).toSorted(),
  })
  const before = await state()
  const sent = request({ socketPath: daemon.socket, method: 'POST', path: '/images/load', agent: false })
  sent.on('error', () => undefined)
  sent.write((await readFile(layoutArchive)).subarray(0, 200_000))
  await waitFor('the archive is being split', async () => (await state()).snapshots.length > before.snapshots.length)
  await daemon.kill9()
  sent.destroy()
  await daemon.start()
  expect(await state()).toEqual(before)
})
