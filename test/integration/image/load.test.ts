import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { type Digest, digestOf, encodedOf } from '#base/digest.ts'
import type { LoadProgress } from '#images/transfer/progress.ts'
import { mediaTypes } from '#oci/media-types.ts'
import type { Platform } from '#oci/platform.ts'
import { buildImage, buildIndex, type TestImage, toBlob, toDescriptor } from '#test/support/base-image.ts'
import { openTestImages, type TestImages } from '#test/support/images.ts'
import { blobsOf, json, layoutMarker, ociArchive } from '#test/support/oci-archive.ts'
import { type TarEntry, tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { waitFor } from '#test/support/wait-for.ts'

const layer = (text: string) => tar([{ name: 'motd', content: text }])
const nothing = { blobs: 0, ingests: 0, snapshots: 0, directories: 0 }
const one = buildImage({ layers: [layer('one'), layer('two')] })

interface LoadOptions {
  readonly platform?: Platform
  readonly quiet?: boolean
}

async function load(images: TestImages, archive: Uint8Array, options: LoadOptions = {}): Promise<LoadProgress[]> {
  const request = { archive: Readable.from([archive], { objectMode: false }), quiet: true, ...options }
  return await Array.fromAsync(await images.service.load(request, new AbortController().signal))
}

/** What Docker's client prints of it. */
const textOf = (lines: readonly LoadProgress[]) => lines.map((line) => ('stream' in line ? line.stream : '')).join('')

/** An archive as Docker before 25 wrote it. */
function oldArchive(layers: readonly Uint8Array[], extra: readonly TarEntry[] = [], paths?: readonly string[]) {
  const image = buildImage({ layers })
  const [config] = image.blobs
  if (!config) throw new Error('an image without a config')
  const names = layers.map((_, index) => `${String(index).repeat(64)}/layer.tar`)
  const manifest = [{ Config: `${encodedOf(image.id)}.json`, RepoTags: ['old:v1'], Layers: paths ?? names }]
  const files = layers.map((content, index): TarEntry => ({ name: names[index] ?? '', content }))
  const entries = [...files, { name: `${encodedOf(image.id)}.json`, content: config.bytes }]
  return { image, archive: tar([...extra, ...entries, json('manifest.json', manifest)]) }
}

test('what was saved is loaded elsewhere with the same id, root and layers, under its names', async () => {
  await using here = await openTestImages()
  await using there = await openTestImages()
  const name = { 'org.opencontainers.image.ref.name': 'me/app:v1' }
  expect(textOf(await load(here, ociArchive(one, name)))).toBe('Loaded image: me/app:v1\n')
  await here.service.tag('me/app:v1', here.parse('other'))
  const request = { names: ['me/app:v1', 'other'] }
  const archive = Buffer.concat(await Array.fromAsync(await here.service.save(request, new AbortController().signal)))

  expect(textOf(await load(there, archive))).toBe('Loaded image: me/app:v1\nLoaded image: other:latest\n')
  const loaded = there.service.get('other')
  expect(loaded).toMatchObject({ id: one.id, root: { digest: one.root.digest } })
  expect(loaded.layers.map(({ digest }) => digest)).toEqual(one.layers.map(({ digest }) => digest))
  expect(await there.readFile('other', 'motd')).toBe('two')
  expect(there.events).toMatchObject([{ action: 'load', actor: { id: one.id, attributes: { name: one.id } } }])
  expect(await there.footprint()).toEqual({ blobs: 4, ingests: 0, snapshots: 2, directories: 2 })
})

test.each([
  ['gzip', gzipSync(ociArchive(one))],
  ['zstd', zstdCompressSync(ociArchive(one))],
  ['xz', execFileSync('xz', ['-c'], { input: ociArchive(one) })],
  ['bzip2', execFileSync('bzip2', ['-c'], { input: ociArchive(one) })],
])('an archive compressed by %s is loaded', async (_, archive) => {
  await using images = await openTestImages()
  expect(textOf(await load(images, archive))).toBe(`Loaded image ID: ${one.id}\n`)
})

test('an archive of an older Docker is loaded, with layers that are links to others, and compressed ones', async () => {
  await using images = await openTestImages()
  const link: TarEntry = { name: '9/layer.tar', type: '2', link: `../${'0'.repeat(64)}/layer.tar` }
  const paths = ['9/layer.tar', `${'1'.repeat(64)}/layer.tar`]
  const plain = oldArchive([layer('a'), layer('b')], [link], paths)
  expect(textOf(await load(images, plain.archive))).toBe('Loaded image: old:v1\n')
  expect(images.service.get('old:v1').id).toBe(plain.image.id)
  expect(await images.readFile('old:v1', 'motd')).toBe('b')
  // A plain layer is its own diffId.
  expect(images.service.get('old:v1').layers.map(({ digest }) => digest)).toEqual(
    [layer('a'), layer('b')].map(digestOf),
  )

  const { image } = oldArchive([layer('c'), layer('d'), layer('e')])
  const [config] = image.blobs
  const packed = tar([
    { name: 'c', content: gzipSync(layer('c')) },
    { name: 'd', content: execFileSync('xz', ['-c'], { input: layer('d') }) },
    { name: 'e', content: zstdCompressSync(layer('e')) },
    { name: 'config', content: config?.bytes ?? '' },
    json('manifest.json', [{ Config: 'config', RepoTags: null, Layers: ['c', 'd', 'e'] }]),
  ])
  expect(textOf(await load(images, packed))).toBe(`Loaded image ID: ${image.id}\n`)
  expect(images.service.get(image.id).layers).toMatchObject([
    { mediaType: mediaTypes.ociLayerGzip, digest: digestOf(gzipSync(layer('c'))) },
    { mediaType: mediaTypes.ociLayer, digest: digestOf(layer('d')) },
    { mediaType: mediaTypes.ociLayerZstd },
  ])
  expect(await images.readFile(image.id, 'motd')).toBe('e')
})

test('progress tells the bytes of each layer, unless it is to be quiet', async () => {
  await using images = await openTestImages()
  const lines = await load(images, ociArchive(one), { quiet: false })
  const ofLayers = lines.filter(({ status }) => status === 'Loading layer')
  // By their diffIds, as Docker names them.
  const diffIds = ['one', 'two'].map((text) => digestOf(layer(text)).slice(7, 19))
  expect(new Set(ofLayers.map(({ id }) => id))).toEqual(new Set(diffIds))
  expect(ofLayers.at(-1)).toMatchObject({ detail: { current: one.layers[1]?.size, total: one.layers[1]?.size } })
})

test.each([
  [{ 'io.containerd.image.name': 'docker.io/library/a:b' }, 'Loaded image: a:b\n'],
  [{ 'org.opencontainers.image.ref.name': '127.0.0.1:5000/a:b' }, 'Loaded image: 127.0.0.1:5000/a:b\n'],
  [{ 'org.opencontainers.image.ref.name': 'latest' }, `Loaded image ID: ${one.id}\n`],
  [{}, `Loaded image ID: ${one.id}\n`],
])('the annotations %j of a layout give its names', async (annotations, text) => {
  await using images = await openTestImages()
  expect(textOf(await load(images, ociArchive(one, annotations)))).toBe(text)
})

test('of an index that lacks its other platforms the one that is there is loaded; one that is not there is refused', async () => {
  await using images = await openTestImages()
  const arm = buildImage({ layers: [layer('arm')], platform: { os: 'linux', architecture: 's390x' } })
  const index = buildIndex([one, arm])
  const only = [index.root, arm.root, ...arm.blobs].map(
    ({ digest, bytes }): TarEntry => ({ name: `blobs/sha256/${encodedOf(digest)}`, content: bytes }),
  )
  const archive = ociArchive(index, {}, only)
  expect(textOf(await load(images, archive))).toBe(`Loaded image ID: ${arm.id}\n`)
  expect(images.service.get(arm.id).root.digest).toBe(index.root.digest)
  await expect(load(images, archive, { platform: one.platform })).rejects.toMatchObject({
    kind: 'invalid',
    message: `no image of the archive is for linux/${one.platform.architecture}`,
  })
})

test('a name that leads to another image is taken from it, and that is told', async () => {
  await using images = await openTestImages()
  const name = { 'org.opencontainers.image.ref.name': 'app:v1' }
  const other = buildImage({ layers: [layer('other')] })
  await load(images, ociArchive(other, name))
  expect(textOf(await load(images, ociArchive(one, name)))).toBe(
    `The image app:v1 already exists, renaming the old one with ID ${other.id} to empty string\nLoaded image: app:v1\n`,
  )
  expect(textOf(await load(images, ociArchive(one, name)))).toBe('Loaded image: app:v1\n')
})

/** cap_setuid, as setcap writes it. */
const capability = Buffer.from('0100000280000000000000000000000000000000', 'hex')

const config = { Config: 'config', RepoTags: ['x:y'], Layers: ['layer'] }
const [configBlob] = buildImage({ layers: [layer('x')] }).blobs
const configFile: TarEntry = { name: 'config', content: configBlob?.bytes ?? '' }
const layerFile: TarEntry = { name: 'layer', content: layer('x') }
const withoutBlob = (image: TestImage, digest: Digest | undefined) =>
  blobsOf(image).filter(({ name }) => !name.endsWith(encodedOf(digest ?? image.id)))

test.each<readonly [string, Uint8Array, RegExp]>([
  ['a text', Buffer.from('<html>404</html>'.repeat(100)), /^the archive cannot be read: this is no tar archive/],
  ['nothing', Buffer.alloc(0), /^the archive (cannot be read|holds no images)/],
  ['an archive of something else', tar([{ name: 'a', content: 'b' }]), /^the archive holds no images: neither/],
  [
    'a damaged stream',
    gzipSync(ociArchive(one)).subarray(0, -30),
    /^the archive cannot be read: the gzip stream .* cut off/,
  ],
  ['an archive that leaves the tree', tar([{ name: '../../x', content: 'x' }]), /^the archive cannot be read: .*\.\./],
  ['a manifest.json of nonsense', tar([json('manifest.json', { a: 1 })]), /^manifest.json is not an array/],
  ['an entry without a config', tar([json('manifest.json', [config])]), /^"config" is not in the archive/],
  [
    'fewer layers than the config has',
    tar([configFile, json('manifest.json', [{ ...config, Layers: [] }])]),
    /^invalid manifest, layers length mismatch: expected 1, got 0/,
  ],
  [
    'a layer of other bytes',
    tar([configFile, { ...layerFile, content: layer('other') }, json('manifest.json', [config])]),
    /verification failed for digest/,
  ],
  [
    'a compressed layer of other bytes',
    tar([configFile, { ...layerFile, content: gzipSync(layer('other')) }, json('manifest.json', [config])]),
    /contains other bytes/,
  ],
  [
    'more layers than there may be',
    (() => {
      const damaged = execFileSync('xz', ['-c'], { input: layer('x') }).fill(0, 40)
      const [many] = buildImage({ layers: [], diffIds: Array(501).fill(digestOf('x')) }).blobs
      const entry = { ...config, Layers: Array(501).fill('layer') }
      const files = [
        { name: 'config', content: many?.bytes ?? '' },
        { name: 'layer', content: damaged },
      ]
      return tar([...files, json('manifest.json', [entry])])
    })(),
    /^the image has 501 layers; at most 500 are supported/,
  ],
  [
    'a layer by xz of other bytes, before the next one is looked at',
    (() => {
      const [two] = buildImage({ layers: [layer('x'), layer('y')] }).blobs
      const files = [
        { name: 'config', content: two?.bytes ?? '' },
        { name: 'layer', content: execFileSync('xz', ['-c'], { input: layer('other') }) },
      ]
      return tar([...files, json('manifest.json', [{ ...config, Layers: ['layer', 'missing'] }])])
    })(),
    /contains other bytes/,
  ],
  [
    'a layer that is a fifo',
    tar([configFile, { name: 'layer', type: '6' }, json('manifest.json', [config])]),
    /^"layer" in the archive is no file/,
  ],
  [
    'a layer that is a link out of the archive',
    tar([configFile, { name: 'layer', type: '2', link: '/../../../../etc/passwd' }, json('manifest.json', [config])]),
    /^"layer" is not in the archive/,
  ],
  [
    'a path of a million parts',
    tar([json('manifest.json', [{ ...config, Config: './'.repeat(1_000_000) }])]),
    /^"(\.\/)+" can be no name$/,
  ],
  [
    'links in a circle',
    tar([configFile, { name: 'layer', type: '2', link: 'layer' }, json('manifest.json', [config])]),
    /^"layer" in the archive leads through too many symbolic links/,
  ],
  ['a bad tag', tar([json('manifest.json', [{ ...config, RepoTags: ['UPPER:x'] }])]), /must be lowercase/],
  ['a name without a tag', tar([json('manifest.json', [{ ...config, RepoTags: ['x'] }])]), /^invalid tag "x"/],
  ['a layout without its layer', ociArchive(one, {}, withoutBlob(one, one.layers[1]?.digest)), /is not in the archive/],
  [
    'a layout without its manifest',
    ociArchive(one, {}, withoutBlob(one, one.root.digest)),
    /^the archive holds no images$/,
  ],
  [
    'a damaged manifest',
    ociArchive(one, {}, [
      ...withoutBlob(one, one.root.digest),
      { name: `blobs/sha256/${encodedOf(one.root.digest)}`, content: '{}' },
    ]),
    /is damaged/,
  ],
  [
    'an index that leads to ever more manifests',
    (() => {
      const indexOf = (entries: readonly object[]) =>
        toBlob(mediaTypes.ociIndex, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: entries })
      const other = (part: string, at: number) => ({ ...toDescriptor(one.root), digest: digestOf(`${part} ${at}`) })
      const inner = ['a', 'b'].map((part) => indexOf(Array.from({ length: 600 }, (_, at) => other(part, at))))
      return ociArchive({ ...one, root: indexOf(inner.map(toDescriptor)), manifests: [one.root, ...inner] })
    })(),
    /leads to more than 1000 manifests/,
  ],
])('%s is refused, and nothing stays', async (_, archive, message) => {
  await using images = await openTestImages()
  await expect(load(images, archive)).rejects.toThrow(message)
  expect(await images.footprint()).toEqual(nothing)
})

test('without room nothing of an archive is written', async () => {
  await using images = await openTestImages({ disk: { minFree: { percent: 100 } } })
  await expect(load(images, ociArchive(one))).rejects.toMatchObject({
    kind: 'no-space',
    message: expect.stringMatching(/^loading images needs room, but .* are free \(disk\.minFree keeps/),
  })
  expect(await images.footprint()).toEqual(nothing)
})

test('a client that goes away in the middle of its archive leaves nothing', async () => {
  await using images = await openTestImages()
  const leave = new AbortController()
  const archive = new PassThrough()
  archive.write(ociArchive(one).subarray(0, 5000))
  const loading = images.service.load({ archive, quiet: true }, leave.signal)
  // Keys of this kind are collected at the next start, should we be killed here.
  await waitFor('the archive is being split', () => images.snapshots.list().some(({ key }) => /^unpack-/.test(key)))
  leave.abort()
  await expect(Array.fromAsync(await loading)).rejects.toMatchObject({ kind: 'cancelled' })
  expect(await images.footprint()).toEqual(nothing)
})

test('large layers become blobs that belong to nobody else, whatever the archive says of its files', async () => {
  await using root = await tempDirectory('berth-load-')
  await using images = await openTestImages({ root: root.path })
  const layers = ['first', 'second', 'third'].map((text) =>
    tar([
      { name: 'motd', content: text },
      { name: 'noise', content: randomBytes(3 << 20) },
    ]),
  )
  const names = layers.map((bytes) => `blobs/sha256/${encodedOf(digestOf(bytes))}`)
  const [config] = buildImage({ layers }).blobs
  const [first = '', second = '', third = ''] = names
  const [owned, linked, symbolic] = layers
  const archive = tar([
    {
      name: first,
      content: owned ?? '',
      mode: 0o6777,
      uid: 1234,
      gid: 1234,
      pax: { 'SCHILY.xattr.security.capability': capability },
    },
    { name: 'linked', content: linked ?? '', mode: 0o666 },
    { name: second, type: '1', link: 'linked' },
    { name: 'real', content: symbolic ?? '', mode: 0o666 },
    { name: third, type: '2', link: '../../real' },
    { name: 'config', content: config?.bytes ?? '' },
    json('manifest.json', [{ Config: 'config', RepoTags: ['app:v1'], Layers: names }]),
  ])
  expect(textOf(await load(images, archive))).toBe('Loaded image: app:v1\n')
  expect(await images.readFile('app:v1', 'motd')).toBe('third')
  for (const [index, name] of names.entries()) {
    const blob = join(root.path, 'content', name)
    expect(await stat(blob)).toMatchObject({ mode: 0o100600, uid: 0, gid: 0, nlink: 1, size: layers[index]?.length })
    expect(digestOf(await readFile(blob))).toBe(digestOf(layers[index] ?? ''))
  }
  expect(await images.footprint()).toEqual({ blobs: 5, ingests: 0, snapshots: 3, directories: 3 })
})

test('a large layer of other bytes is refused, and nothing stays', async () => {
  await using images = await openTestImages()
  const large = buildImage({ layers: [tar([{ name: 'noise', content: randomBytes(3 << 20) }])] })
  const [blob] = large.layers
  const damaged = blobsOf(large).map((entry) =>
    entry.name.endsWith(encodedOf(blob?.digest ?? large.id))
      ? { ...entry, content: randomBytes(blob?.size ?? 0) }
      : entry,
  )
  await expect(load(images, ociArchive(large, {}, damaged))).rejects.toThrow(/verification failed for digest/)
  expect(await images.footprint()).toEqual(nothing)
})

/** One document that asks for far more work than it has bytes. */
function amplified(roots: number, visits: number): Buffer {
  const padding = { annotations: { padding: 'x'.repeat(100_000) } }
  const manifest = toBlob(mediaTypes.ociManifest, { ...JSON.parse(one.root.bytes.toString('utf8')), ...padding })
  const index = toBlob(mediaTypes.ociIndex, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: Array(visits).fill(toDescriptor(manifest)),
  })
  const listed = { schemaVersion: 2, manifests: Array(roots).fill(toDescriptor(index)) }
  const parts = { root: index, manifests: [manifest], blobs: one.blobs }
  return tar([...blobsOf({ ...one, ...parts }), json('index.json', listed), layoutMarker])
}

test('a manifest that is named a million times is read once', async () => {
  await using images = await openTestImages()
  const before = process.cpuUsage()
  expect(textOf(await load(images, amplified(1000, 990)))).toBe(`Loaded image ID: ${one.id}\n`)
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1e6).toBeLessThan(5)
})
