import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { shortId } from '#base/ids.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { buildImage, buildIndex, toBlob, toDescriptor } from '#test/support/base-image.ts'
import { startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { seedRegistry, startRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'
import { type Berth, berthFor } from '../cli/client.ts'

const name = '127.0.0.1:5000/multi'
const own = buildImage()
const arm = buildImage({
  layers: [tar([{ name: 'arm', content: 'arm' }])],
  platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
})
const attestation = toBlob(mediaTypes.ociManifest, {
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: { mediaType: mediaTypes.ociConfig, digest: own.id, size: own.blobs[0]?.size },
  layers: [],
})
const unknown = { os: 'unknown', architecture: 'unknown' }
const annotations = {
  'vnd.docker.reference.type': 'attestation-manifest',
  'vnd.docker.reference.digest': own.root.digest,
}
const withoutAttestation = buildIndex([own, arm], {
  extra: [{ ...toDescriptor(attestation), annotations, platform: unknown }],
})
const index = { ...withoutAttestation, manifests: [...withoutAttestation.manifests, attestation] }

let daemon: TestDaemon
let berth: Berth
beforeAll(async () => {
  daemon = await startDaemon({ withImage: false })
  berth = berthFor(daemon)
  await daemon.docker('rmi', 'berth/hello')
  const storage = join(daemon.directory, 'storage')
  await seedRegistry(storage, { 'multi:latest': index, 'single:latest': arm })
  await using _registry = await startRegistry({ storage, enter: daemon.enter, port: 5000 })
  expect((await daemon.docker('pull', '-q', name)).code).toBe(0)
  expect((await daemon.docker('pull', '-q', '--platform', 'linux/arm/v7', '127.0.0.1:5000/single')).code).toBe(0)
})
afterAll(() => daemon[Symbol.asyncDispose]())

const storedBytes = (image: typeof own) => image.root.size + image.blobs.reduce((sum, { size }) => sum + size, 0)

const size = expect.stringMatching(/^\d[\d.]*MB$/)

interface Listed {
  readonly RepoTags: readonly string[]
  readonly Size: number
  readonly Manifests?: readonly object[]
}

async function list(version: string): Promise<readonly Listed[]> {
  const { body } = await daemon.request('GET', `/${version}/images/json?manifests=1`)
  return JSON.parse(body) as Listed[]
}

test('lists and inspect tell of the manifests below a root: the one that is here, others, and attestations', async () => {
  const created = await daemon.docker('create', '--network', 'none', name, 'true')
  const container = created.stdout.trim()
  const [multi] = (await list('v1.47')).filter(({ RepoTags }) => RepoTags[0] === `${name}:latest`)
  const Unpacked = multi?.Size ?? 0
  expect(Unpacked).toBeGreaterThan(1_000_000)
  const Content = storedBytes(own)
  const amd64 = { os: 'linux', architecture: own.platform.architecture }
  const armv7 = { os: 'linux', architecture: 'arm', variant: 'v7' }
  const ofArm = { ...toDescriptor(arm.root), platform: armv7 }
  const ofOwn = { ...toDescriptor(own.root), platform: amd64 }
  const ofAttestation = { ...toDescriptor(attestation), platform: unknown, annotations }
  expect(multi?.Manifests).toEqual([
    {
      ID: own.root.digest,
      Descriptor: ofOwn,
      Available: true,
      Size: { Content, Total: Content + Unpacked },
      Kind: 'image',
      ImageData: { Platform: amd64, Size: { Unpacked }, Containers: [container] },
    },
    // The same manifest was pulled by another name: it is here.
    expect.objectContaining({ ID: arm.root.digest, Descriptor: ofArm, Available: true, Kind: 'image' }),
    {
      ID: attestation.digest,
      Descriptor: ofAttestation,
      Available: false,
      Size: { Content: 0, Total: 0 },
      Kind: 'attestation',
      AttestationData: { For: own.root.digest },
    },
  ])
  const inspected = await daemon.json('GET', `/v1.48/images/${name}/json?manifests=1`)
  expect(inspected.Manifests).toEqual(multi?.Manifests)
  await daemon.docker('rm', container)

  expect((await list('v1.46'))[0]).not.toHaveProperty('Manifests')
  expect(await daemon.json('GET', `/v1.47/images/${name}/json?manifests=1`)).not.toHaveProperty('Manifests')
  expect(await daemon.json('GET', `/images/${name}/json`)).not.toHaveProperty('Manifests')
})

test('the tree has a branch for each platform, with docker and with us', async () => {
  expect((await daemon.docker('rmi', '127.0.0.1:5000/single')).code).toBe(0)
  expect((await daemon.docker('tag', name, 'mine:1')).code).toBe(0)
  const theirs = await daemon.docker('images', '--tree')
  expect(theirs.code).toBe(0)
  const lines = theirs.stdout.split('\n').map((line) => line.trimEnd().split(/ {2,}/))
  expect(lines).toContainEqual([expect.stringMatching(/^├─ linux\//), shortId(own.root.digest), size, size])
  expect(lines).toContainEqual(['└─ linux/arm/v7', shortId(arm.root.digest), '0B', '0B'])

  const ours = await berth('images', '--tree')
  expect(ours.stdout.split('\n').map((line) => line.trimEnd().split(/ {2,}/))).toEqual([
    ['IMAGE', 'ID', 'DISK USAGE', 'CONTENT SIZE', 'USED'],
    [`${name}:latest`],
    ['mine:1', shortId(own.id), size, size],
    [expect.stringMatching(/^├─ linux\//), shortId(own.root.digest), size, size],
    ['└─ linux/arm/v7', shortId(arm.root.digest), '0B', '0B'],
    [''],
  ])
  const refused = await berth('images', '--tree', '-q')
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining('--quiet is not yet supported with --tree'),
  ])
})

const platform = (architecture: string) => encodeURIComponent(JSON.stringify({ os: 'linux', architecture }))
const mismatch = `image with reference mine:1 was found but its platform (linux/${own.platform.architecture}) does not match the specified platform (linux/s390x)`

test.each([
  ['GET', `/v1.49/images/mine:1/json?platform=${platform('s390x')}`, 404, mismatch],
  ['GET', `/v1.48/images/mine:1/history?platform=${platform('s390x')}`, 404, mismatch],
  ['DELETE', `/v1.50/images/mine:1?platforms=${platform('s390x')}`, 404, mismatch],
  [
    'DELETE',
    `/v1.50/images/mine:1?platforms=${platform('arm')}&platforms=${platform('s390x')}`,
    400,
    'multiple platforms are not supported',
  ],
  [
    'GET',
    `/v1.49/images/mine:1/json?manifests=1&platform=${platform('s390x')}`,
    400,
    'conflicting options: manifests and platform options cannot both be set',
  ],
  [
    'GET',
    '/v1.49/images/mine:1/json?platform=bad',
    400,
    "failed to parse platform: invalid character 'b' looking for beginning of value",
  ],
])('%s %s is %i: %s', async (method, path, status, message) => {
  const answer = await daemon.request(method, path)
  expect([answer.status, JSON.parse(answer.body)]).toEqual([status, { message }])
})

test.each([
  ['history', 'mine:1'],
  ['image', 'inspect', 'mine:1'],
])('berth %s %s takes the platform as docker does', async (...line) => {
  for (const architecture of [own.platform.architecture, 's390x']) {
    const asked = [...line, '--platform', `linux/${architecture}`]
    expect(await berth(...asked)).toEqual(await daemon.docker(...asked))
  }
})

test("a platform that is the image's own is taken", async () => {
  const { architecture } = own.platform
  const inspected = await daemon.request('GET', `/v1.49/images/mine:1/json?platform=${platform(architecture)}`)
  expect(inspected.status).toBe(200)
  const removed = await daemon.request('DELETE', `/v1.50/images/mine:1?platforms=${platform(architecture)}`)
  expect([removed.status, JSON.parse(removed.body)]).toEqual([200, [{ Untagged: 'mine:1' }]])
})
