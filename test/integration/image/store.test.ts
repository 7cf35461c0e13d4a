import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { encodedOf } from '#base/digest.ts'
import { Filters } from '#base/filters.ts'
import { shortId } from '#base/ids.ts'
import { buildImage, buildIndex, type TestImage, type TestImageOptions } from '#test/support/base-image.ts'
import { openTestImages, type TestImages } from '#test/support/images.ts'
import { writeLayout } from '#test/support/layout.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'

const layer = (text: string) => tar([{ name: 'etc/' }, { name: 'etc/motd', content: text }])
const keep = { force: false, noPrune: false }
const force = { force: true, noPrune: false }
const nothing = { blobs: 0, ingests: 0, snapshots: 0, directories: 0 }

/** Puts an image into the store under a name. */
async function add(images: TestImages, name: string, options: TestImageOptions | TestImage): Promise<TestImage> {
  await using directory = await tempDirectory()
  const image = 'root' in options ? options : buildImage(options)
  await writeLayout(directory.path, image)
  await images.service.importLayout(directory.path, images.parse(name))
  return image
}

test('an image of a layout is listed under its name, once', async () => {
  await using images = await openTestImages()
  const image = await add(images, 'berth/hello', { layers: [layer('hello')] })
  await add(images, 'berth/hello', image)
  expect(images.service.list(new Filters())).toMatchObject([
    { id: image.id, tags: ['docker.io/berth/hello:latest'], digests: [] },
  ])
  expect(await images.readFile('berth/hello', 'etc/motd')).toBe('hello')
})

test('a damaged layout is refused and leaves nothing', async () => {
  await using images = await openTestImages()
  await using directory = await tempDirectory()
  const image = buildImage({ layers: [layer('hello')] })
  await writeLayout(directory.path, image)
  const [first] = image.layers
  if (!first) throw new Error('no layer')
  const damaged = Buffer.alloc(first.size)
  await writeFile(join(directory.path, 'blobs/sha256', encodedOf(first.digest)), damaged)
  await expect(images.service.importLayout(directory.path, images.parse('x'))).rejects.toMatchObject({
    kind: 'data-loss',
  })
  expect(await images.footprint()).toEqual(nothing)
})

test('images are found by name, id, prefix of the id, and root digest', async () => {
  await using images = await openTestImages()
  const image = await add(images, 'app:v1', { layers: [layer('x')] })
  for (const name of ['app:v1', 'docker.io/library/app:v1', image.id, shortId(image.id), image.root.digest]) {
    expect(images.service.get(name).id).toBe(image.id)
  }
})

test.each([
  ['nosuch', 'not-found', 'No such image: nosuch:latest'],
  [
    `127.0.0.1:5000/x@sha256:${'1'.repeat(64)}`,
    'not-found',
    `No such image: 127.0.0.1:5000/x@sha256:${'1'.repeat(64)}`,
  ],
  [`sha256:${'a'.repeat(64)}`, 'not-found', `No such image: sha256:${'a'.repeat(64)}`],
  ['UPPER', 'invalid', 'invalid reference format: repository name (library/UPPER) must be lowercase'],
])('looking for %s is answered as dockerd does', async (name, kind, message) => {
  await using images = await openTestImages()
  expect(() => images.service.get(name)).toThrow(expect.objectContaining({ kind, message }))
})

test('an id prefix of two images is none, and the error says why', async () => {
  await using images = await openTestImages()
  // Eighteen images have two ids that begin alike, by the sixteen digits there are.
  for (let n = 0; n < 18; n += 1) await add(images, `app:v${n}`, { layers: [], author: `${n}` })
  const digits = images.service.list(new Filters()).map(({ id }) => id.slice(7, 8))
  const shared = digits.find((digit, index) => digits.indexOf(digit) !== index) ?? ''
  expect(() => images.service.get(shared)).toThrow(/No such image: .*ambiguous/)
})

test('a tag moves, and the image that lost it is dangling', async () => {
  await using images = await openTestImages()
  const old = await add(images, 'app', { layers: [layer('old')] })
  const fresh = await add(images, 'app', { layers: [layer('new')] })
  expect(images.service.get('app').id).toBe(fresh.id)
  expect(images.service.list(new Filters(new Map([['dangling', ['true']]])))).toMatchObject([{ id: old.id, tags: [] }])
  expect(images.service.list(new Filters(new Map([['dangling', ['false']]])))).toMatchObject([{ id: fresh.id }])
})

test('filters choose by reference pattern, label and age', async () => {
  await using images = await openTestImages()
  const day = (n: number) => ({ created: `2026-01-0${n}T00:00:00Z` })
  await add(images, 'one:a', { ...day(1), layers: [], config: { Labels: { tier: 'web', x: '' } } })
  await add(images, 'me/two:b', { ...day(2), layers: [], config: { Labels: { tier: 'db' } } })
  await add(images, 'three:c', { ...day(3), layers: [] })
  const tagsOf = (filters: Record<string, string[]>) =>
    images.service
      .list(new Filters(new Map(Object.entries(filters))))
      .flatMap(({ tags }) => tags.map((tag) => tag.slice(10)))
  const [one, two, three] = ['library/one:a', 'me/two:b', 'library/three:c']
  expect(tagsOf({})).toEqual([three, two, one])
  expect(tagsOf({ reference: ['one'] })).toEqual([one])
  expect(tagsOf({ reference: ['*:c', '*/two'] })).toEqual([three, two])
  expect(tagsOf({ reference: ['*'] })).toEqual([three, one])
  expect(tagsOf({ reference: ['[^o]*', 't[a-h]ree'] })).toEqual([three])
  expect(tagsOf({ label: ['tier'] })).toEqual([two, one])
  expect(tagsOf({ label: ['tier=web', 'x'] })).toEqual([one])
  expect(tagsOf({ before: ['three:c'] })).toEqual([two, one])
  expect(tagsOf({ since: ['one:a'] })).toEqual([three, two])
  expect(tagsOf({ until: ['2026-01-02T12:00:00Z'] })).toEqual([two, one])
  expect(() => tagsOf({ bogus: ['x'] })).toThrow("invalid filter 'bogus'")
  expect(() => tagsOf({ before: ['nosuch'] })).toThrow('No such image: nosuch:latest')
  expect(() => tagsOf({ reference: ['[a'] })).toThrow('syntax error in pattern')
})

test('history tells the lines newest first, with sizes where there are layers', async () => {
  await using images = await openTestImages()
  const history = [
    { created_by: 'ADD root' },
    { created_by: 'ENV x', empty_layer: true },
    { created_by: 'RUN y', comment: 'c' },
  ]
  const image = await add(images, 'app', { layers: [layer('a'), layer('b')], history })
  const lines = images.service.history('app')
  expect(lines.map((line) => [line.id, line.created_by, line.sizeBytes > 0, line.tags.length])).toEqual([
    [image.id, 'RUN y', true, 1],
    ['<missing>', 'ENV x', false, 0],
    ['<missing>', 'ADD root', true, 0],
  ])
})

test('removing one of two names untags, removing the last deletes with everything', async () => {
  await using images = await openTestImages()
  const image = await add(images, 'app:a', { layers: [layer('one'), layer('two')] })
  await images.service.tag('app:a', images.parse('other'))
  expect(await images.service.remove('app:a', keep)).toEqual([{ untagged: 'app:a' }])
  const chain = images.snapshots.list().map(({ key }) => key)
  expect(await images.service.remove('other', keep)).toEqual([
    { untagged: 'other:latest' },
    { deleted: image.id },
    ...chain.toReversed().map((deleted) => ({ deleted })),
  ])
  expect(await images.footprint()).toEqual(nothing)
  expect(images.events.map(({ action }) => action)).toEqual(['tag', 'untag', 'untag', 'delete'])
})

test('a layer that another image has stays', async () => {
  await using images = await openTestImages()
  await add(images, 'a', { layers: [layer('shared'), layer('a')] })
  await add(images, 'b', { layers: [layer('shared'), layer('b')] })
  await images.service.remove('a', keep)
  expect(await images.readFile('b', 'etc/motd')).toBe('b')
  expect(await images.footprint()).toEqual({ blobs: 4, ingests: 0, snapshots: 2, directories: 2 })
})

test('by id, an image with names in several repositories must be forced', async () => {
  await using images = await openTestImages()
  const { id } = await add(images, 'app:a', { layers: [layer('x')] })
  await images.service.tag('app:a', images.parse('other:b'))
  await expect(images.service.remove(id, keep)).rejects.toMatchObject({
    kind: 'conflict',
    message: `conflict: unable to delete ${shortId(id)} (must be forced) - image is referenced in multiple repositories`,
  })
  expect(await images.service.remove(shortId(id), force)).toMatchObject([
    { untagged: 'app:a' },
    { untagged: 'other:b' },
    { deleted: id },
    {},
  ])
})

test('an image that containers use is kept, unless forced, and below a running one always', async () => {
  await using images = await openTestImages()
  const { id } = await add(images, 'app', { layers: [layer('x')] })
  const user = 'c'.repeat(64)
  const short = shortId(user)
  images.users.set(id, [{ id: user, running: false }])
  await expect(images.service.remove('app', keep)).rejects.toMatchObject({
    kind: 'conflict',
    message: `conflict: unable to remove repository reference "app" (must force) - container ${short} is using its referenced image ${shortId(id)}`,
  })
  await expect(images.service.remove(id, keep)).rejects.toMatchObject({
    message: `conflict: unable to delete ${shortId(id)} (must be forced) - image is being used by stopped container ${short}`,
  })
  images.users.set(id, [{ id: user, running: true }])
  await expect(images.service.remove(id, force)).rejects.toMatchObject({
    message: `conflict: unable to delete ${shortId(id)} (cannot be forced) - image is being used by running container ${short}`,
  })
  expect(await images.service.remove('app', force)).toEqual([{ untagged: 'app:latest' }])
  expect(images.service.get(id).tags).toEqual([])
})

test('layers below a container outlive their image, and are collected after it', async () => {
  await using images = await openTestImages()
  const { id } = await add(images, 'app', { layers: [layer('x')] })
  await images.snapshots.prepare('container', images.service.get('app').chainId)
  images.users.set(id, [{ id: 'c'.repeat(64), running: false }])
  expect(await images.service.remove('app', force)).toEqual([{ untagged: 'app:latest' }, { deleted: id }])
  expect(await images.footprint()).toEqual({ blobs: 0, ingests: 0, snapshots: 2, directories: 2 })
  await images.snapshots.remove('container')
  await images.service.collectGarbage()
  expect(await images.footprint()).toEqual(nothing)
})

test('the same config by another index is one image, and the old index goes', async () => {
  await using images = await openTestImages()
  const image = buildImage({ layers: [layer('x')] })
  await add(images, 'app', buildIndex([image]))
  const second = buildIndex([image], { extra: [attestation(image)] })
  await add(images, 'app', second)
  expect(images.service.list(new Filters())).toMatchObject([{ id: image.id, root: { digest: second.root.digest } }])
  expect(await images.footprint()).toMatchObject({ blobs: 4, snapshots: 1 })
})

test('images outlive the daemon; what it left half done does not', async () => {
  await using root = await tempDirectory()
  const [a, b] = [buildImage({ layers: [layer('a')] }), buildImage({ layers: [layer('b')] })]
  {
    await using images = await openTestImages({ root: root.path })
    await add(images, 'a', a)
    await add(images, 'b', b)
    await images.snapshots.prepare('unpack-left', undefined)
    await writeFile(join(root.path, 'content/ingest/left'), 'half')
    await writeFile(join(root.path, 'content/blobs/sha256', 'e'.repeat(64)), 'nobody refers to it')
  }
  {
    await using images = await openTestImages({ root: root.path })
    expect(await images.readFile('a', 'etc/motd')).toBe('a')
    expect(await images.footprint()).toEqual({ blobs: 6, ingests: 0, snapshots: 2, directories: 2 })
  }
})

test('layers that a power cut has damaged are unpacked again; an image without its blobs is no longer listed', async () => {
  await using root = await tempDirectory()
  const [a, b] = [buildImage({ layers: [layer('a'), layer('two')] }), buildImage({ layers: [layer('b')] })]
  {
    await using images = await openTestImages({ root: root.path })
    await add(images, 'a', a)
    await add(images, 'b', b)
    // As the snapshotter does with layers that it cannot trust.
    for (const { key } of images.snapshots.list().toReversed()) await images.snapshots.remove(key)
    await rm(join(root.path, 'content/blobs/sha256', encodedOf(b.layers[0]?.digest ?? b.id)))
  }
  await using images = await openTestImages({ root: root.path })
  expect(images.service.list(new Filters()).map(({ id }) => id)).toEqual([a.id])
  expect(await images.readFile('a', 'etc/motd')).toBe('two')
  expect(await images.footprint()).toEqual({ blobs: 4, ingests: 0, snapshots: 2, directories: 2 })
})

function attestation(image: TestImage): object {
  const { mediaType, digest, size } = image.root
  const annotations = { 'vnd.docker.reference.type': 'attestation-manifest' }
  return { mediaType, digest, size, platform: { os: 'unknown', architecture: 'unknown' }, annotations }
}
