import { execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf, encodedOf } from '#base/digest.ts'
import { tarHeader } from '#images/archive/tar-header.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { buildImage, type TestImage, type TestImageOptions } from '#test/support/base-image.ts'
import { openTestImages, type TestImages } from '#test/support/images.ts'
import { writeLayout } from '#test/support/layout.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'

const layer = (text: string) => tar([{ name: 'motd', content: text }])
const { signal } = new AbortController()
const plain = { force: false, noPrune: false }

async function add(images: TestImages, name: string, options: TestImageOptions): Promise<TestImage> {
  await using directory = await tempDirectory()
  const image = buildImage(options)
  await writeLayout(directory.path, image)
  await images.service.importLayout(directory.path, images.parse(name))
  return image
}

/** Saves and unpacks with tar(1). */
async function save(images: TestImages, directory: string, ...names: string[]) {
  const pieces: Uint8Array[] = []
  for await (const piece of await images.service.save({ names }, signal)) pieces.push(piece)
  await mkdir(directory, { recursive: true })
  execFileSync('tar', ['-x', '-C', directory], { input: Buffer.concat(pieces) })
  const json = async (name: string) => JSON.parse(await readFile(join(directory, name), 'utf8')) as unknown
  return {
    members: execFileSync('tar', ['-t'], { input: Buffer.concat(pieces), encoding: 'utf8' })
      .trim()
      .split('\n'),
    index: await json('index.json'),
    manifest: await json('manifest.json'),
    json,
    blob: async (digest: string) => await readFile(join(directory, 'blobs/sha256', digest.slice(7))),
  }
}

test('an archive is an OCI layout and a docker-archive, with the blobs as they were pulled, each once', async () => {
  await using images = await openTestImages()
  await using directory = await tempDirectory()
  const a = await add(images, 'me/a:v1', { layers: [layer('shared'), layer('a')] })
  const b = await add(images, 'b', { layers: [layer('shared'), layer('b')], compression: 'zstd' })
  await images.service.tag('b', images.parse('b:second'))
  const saved = await save(images, directory.path, 'me/a:v1', 'b')

  const blobs = [...new Set([a, b].flatMap((image) => [image.root, ...image.blobs]).map(({ digest }) => digest))]
  // The lower layer of b was never fetched: that of a serves.
  const expected = blobs.filter((digest) => digest !== b.layers[0]?.digest && digest !== b.root.digest)
  for (const { digest, bytes } of [a.root, ...a.blobs]) expect(await saved.blob(digest)).toEqual(bytes)
  const paths = saved.members.filter((name) => /^blobs\/sha256\/./.test(name))
  expect(new Set(paths).size).toBe(paths.length)
  for (const digest of expected) expect(paths).toContain(`blobs/sha256/${encodedOf(digest)}`)
  expect(saved.members.filter((name) => !name.startsWith('blobs/'))).toEqual([
    'index.json',
    'manifest.json',
    'oci-layout',
    'repositories',
  ])
  const path = (digest = '') => `blobs/sha256/${digest.slice(7)}`
  expect(saved.manifest).toMatchObject([
    { Config: path(a.id), RepoTags: ['me/a:v1'], Layers: a.layers.map(({ digest }) => path(digest)) },
    {
      Config: path(b.id),
      RepoTags: ['b:latest', 'b:second'],
      Layers: [path(a.layers[0]?.digest), path(b.layers[1]?.digest)],
    },
  ])
  const { manifests } = saved.index as { manifests: { digest: string; annotations: object }[] }
  expect(manifests.map(({ annotations }) => annotations)).toEqual([
    { 'io.containerd.image.name': 'docker.io/me/a:v1', 'org.opencontainers.image.ref.name': 'v1' },
    { 'io.containerd.image.name': 'docker.io/library/b:latest', 'org.opencontainers.image.ref.name': 'latest' },
    { 'io.containerd.image.name': 'docker.io/library/b:second', 'org.opencontainers.image.ref.name': 'second' },
  ])
  // Its own manifest would speak of a blob that is not here.
  expect(manifests[0]?.digest).toBe(a.root.digest)
  expect(JSON.parse((await saved.blob(manifests[1]?.digest ?? '')).toString())).toMatchObject({
    config: { digest: b.id, mediaType: mediaTypes.ociConfig },
    layers: [{ digest: a.layers[0]?.digest }, { digest: b.layers[1]?.digest, mediaType: mediaTypes.ociLayerZstd }],
  })
  expect(await saved.json('repositories')).toEqual({
    'me/a': { v1: encodedOf(a.layers[1]?.digest ?? a.id) },
    b: { latest: encodedOf(b.layers[1]?.digest ?? b.id), second: encodedOf(b.layers[1]?.digest ?? b.id) },
  })
  expect(images.events.filter(({ action }) => action === 'save').map(({ actor }) => actor)).toEqual([
    { id: a.id, attributes: { name: a.id } },
    { id: b.id, attributes: { name: b.id } },
  ])
})

test('an id stands for the image alone, a tag for itself, a repository for all of its tags', async () => {
  await using images = await openTestImages()
  await using directory = await tempDirectory()
  const { id } = await add(images, 'app:a', { layers: [layer('x')] })
  await images.service.tag('app:a', images.parse('app:b'))
  const tagsOf = async (name: string) => {
    const { manifest } = await save(images, join(directory.path, name), name)
    return (manifest as { RepoTags: string[] | null }[]).map(({ RepoTags }) => RepoTags)
  }
  expect(await tagsOf(id)).toEqual([null])
  expect(await tagsOf(id.slice(7, 19))).toEqual([null])
  expect(await tagsOf('app:b')).toEqual([['app:b']])
  expect(await tagsOf('app')).toEqual([['app:a', 'app:b']])
})

test.each([
  ['nosuch', 'not-found', 'No such image: nosuch'],
  ['nosuch:tag', 'not-found', 'No such image: nosuch:tag'],
  ['aaaaaaaaaaaa', 'not-found', 'No such image: aaaaaaaaaaaa'],
  ['UPPER', 'invalid', 'invalid reference format: repository name (library/UPPER) must be lowercase'],
])('saving %s is refused before the first byte', async (name, kind, message) => {
  await using images = await openTestImages()
  await expect(images.service.save({ names: [name] }, signal)).rejects.toMatchObject({ kind, message })
})

test('another platform than the image has is refused', async () => {
  await using images = await openTestImages()
  await add(images, 'app', { layers: [layer('x')] })
  const platform = { os: 'linux', architecture: 's390x' }
  await expect(images.service.save({ names: ['app'], platform }, signal)).rejects.toMatchObject({
    message: 'no suitable export target found for platform linux/s390x',
  })
})

test('an image that is removed while it is saved is saved whole, and its blobs go afterwards', async () => {
  await using images = await openTestImages()
  const { id } = await add(images, 'app', { layers: [layer('x'), layer('y')] })
  const archive = await images.service.save({ names: ['app'] }, signal)
  await images.service.remove('app', plain)
  expect(await images.footprint()).toMatchObject({ blobs: 4, snapshots: 0 })
  const pieces: Uint8Array[] = []
  for await (const piece of archive) pieces.push(piece)
  const members = execFileSync('tar', ['-t'], { input: Buffer.concat(pieces), encoding: 'utf8' })
  expect(members).toContain(encodedOf(id))
  expect(await images.footprint()).toMatchObject({ blobs: 0 })
})

test('a reader that leaves early gives the blobs free', async () => {
  await using images = await openTestImages()
  await add(images, 'app', { layers: [layer('x')] })
  const archive = await images.service.save({ names: ['app'] }, signal)
  for await (const piece of archive) if (piece.length > 0) break
  await images.service.remove('app', plain)
  expect(await images.footprint()).toMatchObject({ blobs: 0 })
})

test('an image that was added beside another compression of its layer can be saved when that other one is gone', async () => {
  await using images = await openTestImages()
  await using directory = await tempDirectory()
  const first = await add(images, 'first', { layers: [layer('shared')], author: 'first' })
  const second = await add(images, 'second', { layers: [layer('shared')], author: 'second', compression: 'zstd' })
  await images.service.remove('first', plain)
  const saved = await save(images, directory.path, 'second')
  expect(saved.manifest).toMatchObject([
    {
      Config: `blobs/sha256/${encodedOf(second.id)}`,
      Layers: [`blobs/sha256/${encodedOf(first.layers[0]?.digest ?? first.id)}`],
    },
  ])
  await images.service.remove('second', plain)
  expect(await images.footprint()).toMatchObject({ blobs: 0, snapshots: 0 })
})

test('a layer that is only unpacked is fetched again with the next image that has it', async () => {
  await using images = await openTestImages()
  await using directory = await tempDirectory()
  await add(images, 'first', { layers: [layer('shared')], author: 'first' })
  await images.snapshots.prepare('container', images.service.get('first').chainId)
  await images.service.remove('first', { force: true, noPrune: false })
  expect(await images.footprint()).toMatchObject({ blobs: 0, snapshots: 2 })
  const second = await add(images, 'second', { layers: [layer('shared')], author: 'second' })
  const saved = await save(images, directory.path, 'second')
  expect(await saved.blob(second.layers[0]?.digest ?? '')).toEqual(second.layers[0]?.bytes)
})

test('a layer that is neither here as a blob nor with another image is named', async () => {
  await using root = await tempDirectory()
  await using images = await openTestImages({ root: root.path })
  const image = await add(images, 'app', { layers: [layer('x')] })
  const path = join(root.path, 'content/blobs/sha256', encodedOf(image.layers[0]?.digest ?? image.id))
  const bytes = await readFile(path)
  execFileSync('rm', [path])
  await expect(images.service.save({ names: ['app'] }, signal)).rejects.toMatchObject({
    kind: 'not-found',
    message: `layer ${digestOf(layer('x'))} of image ${image.id} is only here unpacked; pull the image again`,
  })
  await writeFile(path, bytes)
})

test.each([0, 511, 8 ** 11 - 1, 8 ** 11, 2 ** 45 + 3])('tar(1) reads a header that announces %d bytes', (size) => {
  const { stdout } = (() => {
    try {
      return {
        stdout: execFileSync('tar', ['-tv', '--utc'], {
          input: tarHeader('big', size),
          stdio: 'pipe',
          encoding: 'utf8',
        }),
      }
    } catch (error) {
      // The content is missing.
      return error as { stdout: string }
    }
  })()
  expect(stdout).toMatch(new RegExp(`^-rw-r--r-- 0/0 +${size} 1970-01-01 00:00 big`))
})
