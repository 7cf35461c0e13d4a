import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildImage, buildIndex, type TestImage } from '#test/support/base-image.ts'
import { startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { seedRegistry, startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'
import { problemsOf } from '../../conformance/engine-api/schema.ts'

const layers = [tar([{ name: 'x' }])]
const arm64 = { os: 'linux', architecture: 'arm64', variant: 'v8' }
const oci = buildImage({ layers })
const attestation = {
  ...{ mediaType: oci.root.mediaType, digest: oci.root.digest, size: oci.root.size },
  platform: { os: 'unknown', architecture: 'unknown' },
}
const images: Record<string, TestImage> = {
  oci,
  docker: buildImage({ layers, dialect: 'docker', platform: arm64 }),
  index: buildIndex([oci, buildImage({ layers, platform: arm64 })], { extra: [attestation] }),
  list: buildIndex([buildImage({ layers, dialect: 'docker' })], { dialect: 'docker' }),
}
const amd64Wire = { architecture: 'amd64', os: 'linux' }
const arm64Wire = { architecture: 'arm64', os: 'linux', variant: 'v8' }

let daemon: TestDaemon
let registry: TestRegistry
let locked: TestRegistry
beforeAll(async () => {
  daemon = await startDaemon({ withImage: false })
  const storage = join(daemon.directory, 'storage')
  await seedRegistry(storage, Object.fromEntries(Object.entries(images).map(([name, image]) => [`${name}:v1`, image])))
  registry = await startRegistry({ storage, enter: daemon.enter })
  locked = await startRegistry({ storage, enter: daemon.enter, basicAuth: true })
})
afterAll(async () => {
  await locked[Symbol.asyncDispose]()
  await registry[Symbol.asyncDispose]()
  await daemon[Symbol.asyncDispose]()
})

const inspect = (name: string) => daemon.request('GET', `/distribution/${name}/json`)

// As dockerd 28 answers: it reads no platform of a plain OCI image.
test.each([
  ['oci', null],
  ['docker', [arm64Wire]],
  ['index', [amd64Wire, arm64Wire, { architecture: 'unknown', os: 'unknown' }]],
  ['list', [amd64Wire]],
])('%s: descriptor and platforms are told, by tag and by digest, and nothing is kept', async (name, platforms) => {
  const { mediaType, digest, size } = images[name]?.root ?? oci.root
  const expected = JSON.stringify({ Descriptor: { mediaType, digest, size }, Platforms: platforms })
  for (const reference of [`${name}:v1`, `${name}@${digest}`]) {
    const { status, body } = await inspect(`${registry.host}/${reference}`)
    expect([status, body.trimEnd()]).toEqual([200, expected])
    expect(problemsOf('GET /distribution/{name}/json', 200, JSON.parse(body))).toEqual([])
  }
  const listed = await daemon.docker('images', '--format', '{{.Repository}}')
  expect(listed.stdout).toBe('berth/hello\n')
})

test.each<[string, (host: string) => string, number, string | RegExp]>([
  ['an unknown repository', (host) => `${host}/nosuch`, 404, 'manifest unknown: manifest unknown'],
  ['an unknown tag', (host) => `${host}/oci:nosuch`, 404, 'manifest unknown: manifest unknown'],
  ['an unknown digest', (host) => `${host}/oci@sha256:${'0'.repeat(64)}`, 404, 'manifest unknown: manifest unknown'],
  ['an id', () => '0'.repeat(64), 500, 'no manifest found for full image ID'],
  ['an id with its algorithm', () => `sha256:${'0'.repeat(64)}`, 500, 'no manifest found for full image ID'],
  ['no name', () => 'UPPER', 400, /repository name .* must be lowercase/],
  ['a registry that is not there', () => '127.0.0.1:1/a', 500, /dial tcp 127\.0\.0\.1:1: connect: connection refused$/],
])('%s is told as dockerd tells it', async (_, name, status, message) => {
  const answer = await inspect(name(registry.host))
  expect(answer.status).toBe(status)
  expect(JSON.parse(answer.body).message).toEqual(message instanceof RegExp ? expect.stringMatching(message) : message)
})

test('credentials are asked for with a 500, and used', async () => {
  const without = await inspect(`${locked.host}/oci:v1`)
  expect(without.status).toBe(500)
  expect(JSON.parse(without.body).message).toMatch(/\/v2\/oci\/manifests\/v1": no basic auth credentials$/)
  const header = Buffer.from(JSON.stringify({ username: 'user', password: 'secret' })).toString('base64url')
  const sent = request({
    socketPath: daemon.socket,
    path: `/distribution/${locked.host}/oci:v1/json`,
    headers: { 'X-Registry-Auth': header },
    agent: false,
  }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  expect(await json(response)).toMatchObject({ Descriptor: { digest: oci.root.digest } })
})

test('docker manifest inspect reads the registry by itself', async () => {
  const name = `${registry.host}/index:v1`
  const shown = await daemon.run([...daemon.enter, 'docker', 'manifest', 'inspect', '--insecure', name])
  expect(shown.stderr).toBe('')
  expect(JSON.parse(shown.stdout).manifests).toHaveLength(3)
})
