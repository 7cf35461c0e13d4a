/** dockerd and podman pull what we have pushed, and dockerd's own pushes print the same lines; registries that give tokens take pushes. */
import { execFile } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildImage, busyboxLayer } from '#test/support/base-image.ts'
import type { CommandResult } from '#test/support/daemon.ts'
import { type Dockerd, dockerCli, startDockerd } from '#test/support/dockerd.ts'
import { openTestImages, type TestImages } from '#test/support/images.ts'
import { writeLayout } from '#test/support/layout.ts'
import { startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { startTokenServer } from '#test/support/token-server.ts'
import { Podman } from '../runtime/podman.ts'

const stack = new AsyncDisposableStack()
/** More than a block of either format, and another layer for each name. */
function layersOf(name: string): Buffer[] {
  const words = tar([{ name: 'words', content: Buffer.alloc(9 << 20, `${name} and words `) }])
  return [busyboxLayer([{ name: `etc/${name}`, content: name }]), words]
}
const app = buildImage({ layers: layersOf('app'), dialect: 'docker' })

let peer: Dockerd
let podman: Podman
let registry: TestRegistry
let images: TestImages

beforeAll(async () => {
  const { path } = stack.use(await tempDirectory('berth-dockerd-'))
  registry = stack.use(await startRegistry())
  await registry.push('from/app:latest', app)
  // Without networks it leaves the firewall alone.
  const quiet = ['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--ip-forward=false']
  peer = stack.use(await startDockerd(path, [...quiet, '--storage-driver', 'vfs']))
  podman = stack.use(await Podman.start())
  images = stack.use(await openTestImages())
})
afterAll(() => stack.disposeAsync())

function docker(...args: readonly string[]): Promise<CommandResult> {
  const { promise, resolve } = Promise.withResolvers<CommandResult>()
  execFile(dockerCli(), args, { env: { ...process.env, DOCKER_HOST: peer.host } }, (error, stdout, stderr) => {
    resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr })
  })
  return promise
}

test.each(['gzip', 'zstd'] as const)(
  'dockerd and podman pull the layers that we made with %s',
  async (pushCompression) => {
    await using layout = await tempDirectory()
    await using made = await openTestImages({ pushCompression })
    const name = `${registry.host}/${pushCompression}`
    await writeLayout(layout.path, buildImage({ layers: layersOf(pushCompression), compression: 'none' }))
    await made.service.importLayout(layout.path, made.parse(`${name}:latest`))
    const { id } = made.service.get(`${name}:latest`)
    await made.push(name)
    const { digests } = made.service.get(`${name}:latest`)

    expect(await docker('pull', name)).toMatchObject({ code: 0 })
    const inspected = await docker('image', 'inspect', '--format', '{{.Id}} {{index .RepoDigests 0}}', name)
    expect(inspected.stdout.trim().split(' ')).toEqual([id, ...digests])
    await podman.get('pull', '--tls-verify=false', name)
    expect(await podman.get('image', 'inspect', '--format', '{{.Id}}', name)).toBe(`${id.slice('sha256:'.length)}\n`)
  },
)

test('the same pushes print the same lines as with dockerd', async () => {
  const from = `${registry.host}/from/app`
  const to = (whose: string) => `${registry.host}/${whose}/app`
  await docker('pull', '-q', from)
  await docker('tag', from, to('theirs'))
  await images.pull(from)
  await images.service.tag(from, images.parse(to('ours')))
  for (const attempt of ['first', 'second']) {
    const theirs = await docker('push', to('theirs'))
    const lines: string[] = ['Using default tag: latest']
    await images.push(to('ours'), {
      onProgress: (one) => {
        if (!('pushed' in one)) lines.push(one.id === undefined ? one.status : `${one.id}: ${one.status}`)
      },
    })
    // dockerd writes a manifest of its own.
    const comparable = (text: readonly string[]) =>
      text.map((line) => line.replace(/(ours|theirs)\/app/, 'app').replace(/digest: .*/, 'digest')).toSorted()
    expect.soft({ attempt, lines: comparable(lines) }).toEqual({
      attempt,
      lines: comparable(theirs.stdout.trimEnd().split('\n')),
    })
  }
})

test('a registry that gives tokens takes a push from whoever may, and denies it to others', async () => {
  await using office = await startTokenServer()
  await using guarded = await startRegistry({ tokenAuth: office.auth })
  const source = `${registry.host}/from/app`
  await images.pull(source)
  const name = `${guarded.host}/public/app`
  await images.service.tag(source, images.parse(name))
  await expect(images.push(name)).rejects.toMatchObject({ message: expect.stringMatching(/^(denied|unauthorized): /) })
  await images.push(name, { auth: { username: 'user', password: 'secret' } })
  const scope = 'repository:public/app:pull,push'
  expect(new Set(office.requests.map(({ as, parameters }) => `${as} ${parameters.scope}`))).toEqual(
    new Set([`nobody ${scope}`, `password ${scope}`]),
  )
  await using fresh = await openTestImages()
  await fresh.pull(name)
  expect(fresh.service.get(name).root.digest).toBe(app.root.digest)
})
