import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { digestOf } from '#base/digest.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { hostPlatform } from '#oci/platform.ts'
import {
  buildImage,
  buildIndex,
  type TestBlob,
  type TestImage,
  toBlob,
  toDescriptor,
} from '#test/support/base-image.ts'
import { type Fault, type ProxiedRequest, startFaultProxy } from '#test/support/fault-proxy.ts'
import { openTestImages, type TestImages } from '#test/support/images.ts'
import { startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'

const nothing = { blobs: 0, ingests: 0, snapshots: 0, directories: 0 }
const maxGrownBytes = 64 << 20

let registry: TestRegistry
let images: TestImages
beforeAll(async () => {
  registry = await startRegistry()
})
afterAll(() => registry[Symbol.asyncDispose]())
beforeEach(async () => {
  images = await openTestImages()
  return () => images[Symbol.asyncDispose]()
})

/** A registry that has these blobs, whatever a real one would say of them; `root` is the tag. */
const served =
  (root: TestBlob, blobs: readonly TestBlob[]) =>
  ({ path }: ProxiedRequest): Fault | undefined => {
    const found = path.endsWith('/manifests/latest')
      ? root
      : [root, ...blobs].find(({ digest }) => path.endsWith(digest))
    const headers = { 'content-type': found?.mediaType ?? '', 'docker-content-digest': found?.digest ?? '' }
    return found ? { headers, body: found.bytes } : { status: 404 }
  }

/** Pulls what is refused, and gives the error and how much memory of this process it took. */
async function refused(root: TestBlob, blobs: readonly TestBlob[]) {
  await using proxy = await startFaultProxy(registry.host, served(root, blobs))
  const before = process.memoryUsage().rss
  const error: unknown = await images.pull(`${proxy.host}/app`).catch((reason: unknown) => reason)
  const grownBytes = process.memoryUsage().rss - before
  expect(images.service.list(images.noFilters)).toEqual([])
  expect(await images.footprint()).toEqual(nothing)
  return { error, grownBytes, requests: proxy.requests }
}

/** An image with this one layer, whose config says whatever it says of it. */
function imageWith(mediaType: string, layer: Buffer): TestImage {
  const image = buildImage({ layers: [Buffer.alloc(1024)], diffIds: [digestOf('unpacked')] })
  const blob = toBlob(mediaType, layer)
  const [config] = image.blobs
  const manifest = { schemaVersion: 2, config: toDescriptor(config as TestBlob), layers: [toDescriptor(blob)] }
  return { ...image, root: toBlob(mediaTypes.ociManifest, manifest), blobs: [config as TestBlob, blob] }
}

/** The head of an archive whose one file goes on for 7 GiB, and the zeros of which it may be made. */
const bigHead = tar([{ name: 'zeros', size: 7 * 2 ** 30 }], { end: false })
const zeros = Buffer.alloc(64 << 20)

test.each([
  ['gzip', mediaTypes.ociLayerGzip, (bytes: Buffer) => gzipSync(bytes)],
  ['zstd', mediaTypes.ociLayerZstd, (bytes: Buffer) => zstdCompressSync(bytes)],
])('a %s bomb ends at the limit, outside of our memory, and leaves nothing', async (_, mediaType, compress) => {
  const part = compress(zeros)
  const bomb = Buffer.concat([compress(bigHead), ...Array.from({ length: 100 }, () => part)])
  const { root, blobs } = imageWith(mediaType, bomb)
  const { error, grownBytes } = await refused(root, blobs)
  expect(error).toMatchObject({ kind: 'invalid', message: expect.stringContaining('grows more than 200 times') })
  expect(grownBytes).toBeLessThan(maxGrownBytes)
})

test.each([
  ['whose length is told', false],
  ['without an end', true],
])('a manifest of hundreds of megabytes %s is not read', async (_, chunked) => {
  const body = Buffer.alloc(512 << 20, ' ')
  const headers = { 'content-type': mediaTypes.ociManifest }
  await using proxy = await startFaultProxy(registry.host, () => ({ headers, body, chunked }))
  const before = process.memoryUsage().rss
  await expect(images.pull(`${proxy.host}/app`)).rejects.toMatchObject({ kind: 'too-large' })
  expect(process.memoryUsage().rss - before).toBeLessThan(maxGrownBytes)
  expect(await images.footprint()).toEqual(nothing)
})

test('indexes of indexes end at a depth', async () => {
  let last = buildImage({ layers: [tar([{ name: 'x' }])] }).root
  const blobs = [last]
  for (let depth = 0; depth < 8; depth += 1) {
    const manifests = [{ ...toDescriptor(last), platform: hostPlatform }]
    last = toBlob(mediaTypes.ociIndex, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests })
    blobs.push(last)
  }
  const { error, requests } = await refused(last, blobs)
  expect(error).toMatchObject({ kind: 'invalid', message: expect.stringMatching(/leads to indexes more than 4 deep$/) })
  expect(requests.length).toBeLessThan(8)
})

test('an index with too many entries is refused', async () => {
  const { root } = buildImage({ layers: [tar([{ name: 'x' }])] })
  const manifests = Array.from({ length: 1001 }, () => toDescriptor(root))
  const index = toBlob(mediaTypes.ociIndex, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests })
  expect((await refused(index, [root])).error).toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining('more than 1000 entries'),
  })
})

test('a manifest of too many layers, and a config that is too large, are refused before they are fetched', async () => {
  const image = buildImage({ layers: [tar([{ name: 'x' }])] })
  const [config, layer] = image.blobs.map(toDescriptor)
  const refusal = async (manifest: object) => {
    const root = toBlob(mediaTypes.ociManifest, { schemaVersion: 2, ...manifest })
    const { error, requests } = await refused(root, image.blobs)
    expect(requests.some(({ path }) => path.includes('/blobs/'))).toBe(false)
    return error
  }
  expect(await refusal({ config, layers: Array.from({ length: 501 }, () => layer) })).toMatchObject({
    message: 'the image has 501 layers; at most 500 are supported',
  })
  expect(await refusal({ config: { ...config, size: 5 << 20 }, layers: [layer] })).toMatchObject({
    message: expect.stringContaining('at most 4194304 are read'),
  })
})

test.each(['manifest', 'index'] as const)(
  'a tag that moves right after it was asked for mixes nothing (%s)',
  async (kind) => {
    const of = (text: string) => buildImage({ layers: [tar([{ name: 'etc/' }, { name: 'etc/motd', content: text }])] })
    const [before, after] =
      kind === 'manifest' ? [of('before'), of('after')] : [buildIndex([of('before')]), buildIndex([of('after')])]
    await registry.push(`moving-${kind}:old`, before)
    await registry.push(`moving-${kind}:latest`, after)
    const head = {
      'content-type': before.root.mediaType,
      'docker-content-digest': before.root.digest,
      'content-length': String(before.root.size),
    }
    await using proxy = await startFaultProxy(registry.host, ({ method }) =>
      method === 'HEAD' ? { headers: head } : undefined,
    )
    const name = `${proxy.host}/moving-${kind}`
    await images.pull(name)
    expect(await images.readFile(name, 'etc/motd')).toBe('before')
    expect(images.service.get(name).digests).toEqual([`${name}@${before.root.digest}`])
  },
)

test('a repository of tags without end is refused', async () => {
  const tags = Array.from({ length: 60_000 }, (_, at) => `v${at}`)
  const page = { headers: { link: '</v2/app/tags/list?last=x>; rel="next"' }, body: JSON.stringify({ tags }) }
  await using proxy = await startFaultProxy(registry.host, ({ path }) =>
    path.includes('/tags/list') ? page : undefined,
  )
  await expect(images.pull(`${proxy.host}/app`, { allTags: true })).rejects.toMatchObject({
    kind: 'invalid',
    message: `${proxy.host}/app has more than 100000 tags; name one`,
  })
  expect(proxy.requests).toHaveLength(2)
})

test.each(['not a tag', '../../other/manifests/latest', 'v1?ns=x', '', '-v1', 'v'.repeat(129)])(
  'a list of tags with %j in it is refused before anything is pulled',
  async (tag) => {
    const { root, blobs } = buildImage({ layers: [tar([{ name: 'x' }])] })
    const serve = served(root, blobs)
    await using proxy = await startFaultProxy(registry.host, (request) => {
      if (request.path.includes('/tags/list')) return { body: JSON.stringify({ tags: ['latest', tag] }) }
      // It serves the image under whatever tag it is asked for.
      return request.path.includes(':') ? serve(request) : serve({ ...request, path: '/manifests/latest' })
    })
    await expect(images.pull(`${proxy.host}/app`, { allTags: true })).rejects.toMatchObject({
      kind: 'invalid',
      message: `${proxy.host}/app lists a tag that can be none: ${JSON.stringify(tag.slice(0, 100))}`,
    })
    expect(images.service.list(images.noFilters)).toEqual([])
    expect(await images.footprint()).toEqual(nothing)
  },
)

test('a registry cannot keep the event loop busy by how it names the next page of tags', async () => {
  const pages = 50
  const link = `${'<'.repeat(15_000)}> and </v2/app/tags/list?page>; rel="next"`
  await using proxy = await startFaultProxy(registry.host, ({ path }) =>
    path.includes('/tags/list')
      ? { body: '{"tags":[]}', headers: proxy.requests.length < pages ? { link } : {} }
      : undefined,
  )
  await using patient = await openTestImages({ isPatient: true })
  const before = process.cpuUsage().user
  await patient.pull(`${proxy.host}/app`, { allTags: true }).catch(() => undefined)
  expect(proxy.requests).toHaveLength(pages)
  expect((process.cpuUsage().user - before) / 1e6).toBeLessThan(2)
})
