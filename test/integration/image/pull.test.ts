import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { buildImage, buildIndex, busyboxLayer, type TestImage } from '#test/support/base-image.ts'
import { openTestImages } from '#test/support/images.ts'
import { startRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'

const small = (text: string) => tar([{ name: 'etc/' }, { name: 'etc/motd', content: text }])
const arm64 = { os: 'linux', architecture: 'arm64', variant: 'v8' }

test('a pull by tag lists the image, with its layers unpacked, and tells of it as Docker does', async () => {
  await using registry = await startRegistry()
  await using images = await openTestImages()
  const image = buildImage({ layers: [busyboxLayer(), small('second')] })
  await registry.push('busybox:latest', image)
  const name = `${registry.host}/busybox`

  const progress = await images.pull(name)

  expect(progress[0]).toEqual({ id: 'latest', status: 'Pulling from busybox' })
  for (const { digest, size } of image.layers) {
    const ofLayer = progress.filter(({ id }) => id === digest.slice(7, 19))
    const words = ofLayer.map(({ status }) => status).filter((status) => !/^(Waiting|Downloading)$/.test(status))
    expect(words.filter((word, index) => word !== words[index - 1])).toEqual([
      'Pulling fs layer',
      'Verifying Checksum',
      'Download complete',
      'Extracting',
      'Pull complete',
    ])
    expect(ofLayer.findLast(({ status }) => status === 'Extracting')?.detail).toEqual({ current: size, total: size })
  }
  expect(progress.slice(-2)).toEqual([
    { status: `Digest: ${image.root.digest}` },
    { status: `Status: Downloaded newer image for ${name}:latest` },
  ])
  expect(images.service.get(name)).toMatchObject({
    id: image.id,
    tags: [`${name}:latest`],
    digests: [`${name}@${image.root.digest}`],
  })
  expect(await images.readFile(name, 'etc/motd')).toBe('second')
  expect(await images.readFile(name, 'etc/passwd')).toMatch(/^root:/)
  expect(images.events).toEqual([
    { type: 'image', action: 'pull', actor: { id: `${name}:latest`, attributes: { name } } },
  ])
})

test('a layer that another image has is not fetched again', async () => {
  await using registry = await startRegistry()
  await using images = await openTestImages()
  const [a, b] = [buildImage({ layers: [small('base')] }), buildImage({ layers: [small('base'), small('b')] })]
  await registry.push('app:a', a)
  await registry.push('app:b', b)
  await images.pull(`${registry.host}/app:a`)
  const progress = await images.pull(`${registry.host}/app:b`)
  const [base, top] = b.layers.map(({ digest }) => digest.slice(7, 19))
  expect(progress.filter(({ id }) => id === base).map(({ status }) => status)).toEqual(['Already exists'])
  expect(progress.findLast(({ id }) => id === top)?.status).toBe('Pull complete')
})

test('a second pull fetches nothing and says so', async () => {
  await using registry = await startRegistry()
  await using images = await openTestImages()
  const image = buildImage({ layers: [small('x')] })
  await registry.push('app:v1', image)
  const name = `${registry.host}/app:v1`
  await images.pull(name)
  expect((await images.pull(name)).map(({ status }) => status)).toEqual([
    'Pulling from app',
    `Digest: ${image.root.digest}`,
    `Status: Image is up to date for ${name}`,
  ])
})

test.each([
  ['gzip', 'oci'],
  ['zstd', 'oci'],
  ['none', 'oci'],
  ['gzip', 'docker'],
] as const)('layers with compression %s in the %s dialect are unpacked', async (compression, dialect) => {
  await using registry = await startRegistry()
  await using images = await openTestImages()
  await registry.push('app:latest', buildImage({ compression, dialect, layers: [small(compression)] }))
  await images.pull(`${registry.host}/app`)
  expect(await images.readFile(`${registry.host}/app`, 'etc/motd')).toBe(compression)
})

test.each(['oci', 'docker'] as const)(
  'of an %s index this machine gets its own platform, or the one asked for',
  async (dialect) => {
    await using registry = await startRegistry()
    await using images = await openTestImages()
    const here = buildImage({ dialect, layers: [small('here')] })
    const there = buildImage({ dialect, layers: [small('there')], platform: arm64 })
    const extra = attestationOf(here)
    await registry.push('app:latest', buildIndex([there, here], { dialect, extra: dialect === 'oci' ? [extra] : [] }))
    const name = `${registry.host}/app`
    await images.pull(name)
    expect(images.service.get(name).id).toBe(here.id)
    await images.pull(name, { platform: 'linux/arm64' })
    expect(images.service.get(name)).toMatchObject({ id: there.id, config: { architecture: 'arm64' } })
    expect(() => images.service.getForContainer(name, 'linux/amd64')).toThrow(
      `image with reference ${name} was found but its platform (linux/arm64/v8) does not match the specified platform (linux/amd64)`,
    )
  },
)

test('an index without this platform is told after the first progress, and leaves nothing', async () => {
  await using registry = await startRegistry()
  await using images = await openTestImages()
  await registry.push('app:latest', buildIndex([buildImage({ platform: arm64, layers: [small('there')] })]))
  await expect(images.pull(`${registry.host}/app`, { platform: 'linux/s390x' })).rejects.toMatchObject({
    kind: 'not-found',
    message: 'no matching manifest for linux/s390x in the manifest list entries',
  })
  expect(await images.footprint()).toEqual({ blobs: 0, ingests: 0, snapshots: 0, directories: 0 })
})

test('a plain image of another platform is pulled with a warning', async () => {
  await using registry = await startRegistry()
  await using images = await openTestImages()
  await registry.push('app:latest', buildImage({ platform: arm64, layers: [small('there')] }))
  const name = `${registry.host}/app:latest`
  const progress = await images.pull(name, { platform: 'linux/amd64' })
  expect(progress.at(-1)?.status).toBe(
    `WARNING: image with reference ${name} was found but its platform (linux/arm64/v8) does not match the specified platform (linux/amd64)`,
  )
})

test('a pull by digest lists the image without a tag', async () => {
  await using registry = await startRegistry()
  await using images = await openTestImages()
  const image = buildImage({ layers: [small('x')] })
  await registry.push('app:latest', image)
  const name = `${registry.host}/app@${image.root.digest}`
  const progress = await images.pull(name)
  expect(progress[0]).toEqual({ id: name, status: 'Pulling from app' })
  expect(progress.at(-1)?.status).toBe(`Status: Downloaded newer image for ${name}`)
  expect(images.service.get(name)).toMatchObject({ id: image.id, tags: [], digests: [name] })
})

test('all tags of a repository are pulled', async () => {
  await using registry = await startRegistry()
  await using images = await openTestImages()
  for (const tag of ['a', 'b', 'c']) await registry.push(`app:${tag}`, buildImage({ layers: [small(tag)] }))
  const name = `${registry.host}/app`
  const progress = await images.pull(name, { allTags: true })
  expect(progress.at(-1)?.status).toBe(`Status: Downloaded newer image for ${name}`)
  for (const tag of ['a', 'b', 'c']) expect(await images.readFile(`${name}:${tag}`, 'etc/motd')).toBe(tag)
})

test('what the registry does not have is told before any progress, in its own words', async () => {
  await using registry = await startRegistry()
  await using images = await openTestImages()
  await registry.push('app:latest', buildImage({ layers: [small('x')] }))
  const { host } = registry
  const expected = (name: string) => ({
    kind: 'not-found',
    message: `manifest for ${name} not found: manifest unknown: manifest unknown`,
  })
  await expect(images.pull(`${host}/app:nosuch`)).rejects.toMatchObject(expected(`${host}/app:nosuch`))
  await expect(images.pull(`${host}/nosuch`)).rejects.toMatchObject(expected(`${host}/nosuch:latest`))
  await expect(images.pull(`${host}/nosuch`, { allTags: true })).rejects.toMatchObject({
    message: `repository ${host}/nosuch not found: name unknown: repository name not known to registry`,
  })
})

test('a registry that is not there is named with the reason', async () => {
  await using images = await openTestImages()
  await expect(images.pull('127.0.0.1:1/app')).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringMatching(/127\.0\.0\.1:1\/v2\/app.*dial tcp 127\.0\.0\.1:1: connect: connection refused$/),
  })
})

test('docker.io is asked through its mirrors, in order', async () => {
  await using registry = await startRegistry()
  await using images = await openTestImages({
    registries: { mirrors: ['http://127.0.0.1:1', `http://${registry.host}`] },
  })
  await registry.push('library/busybox:latest', buildImage({ layers: [small('mirrored')] }))
  const progress = await images.pull('busybox')
  expect(progress[0]).toEqual({ id: 'latest', status: 'Pulling from library/busybox' })
  expect(progress.at(-1)?.status).toBe('Status: Downloaded newer image for busybox:latest')
  expect(images.service.get('busybox').tags).toEqual(['docker.io/library/busybox:latest'])
})

test('a registry that asks for a password gets it, and a wrong one is refused', async () => {
  await using registry = await startRegistry({ basicAuth: true })
  await using images = await openTestImages()
  await registry.push('app:latest', buildImage({ layers: [small('private')] }))
  const name = `${registry.host}/app`
  const without = await images.pull(name).catch((error: unknown) => error)
  expect(without).toMatchObject({ kind: 'unauthorized', message: expect.stringMatching(/no basic auth credentials$/) })
  const wrong = await images.pull(name, { auth: { username: 'user', password: 'guess' } }).catch((e: unknown) => e)
  expect(wrong).toMatchObject({ kind: 'unauthorized', message: 'unauthorized: authentication required' })
  expect(String(wrong)).not.toContain('guess')
  await images.pull(name, { auth: { username: 'user', password: 'secret' } })
  expect(await images.readFile(name, 'etc/motd')).toBe('private')
})

test('two pulls at once of images that share a layer fetch it once', async () => {
  await using registry = await startRegistry()
  await using images = await openTestImages()
  const shared = tar([{ name: 'big', content: randomBytes(3_000_000) }])
  const [a, b] = [buildImage({ layers: [shared, small('a')] }), buildImage({ layers: [shared, small('b')] })]
  await registry.push('app:a', a)
  await registry.push('app:b', b)
  const name = `${registry.host}/app`
  await Promise.all([images.pull(`${name}:a`), images.pull(`${name}:b`), images.pull(`${name}:a`)])
  expect(await images.readFile(`${name}:a`, 'etc/motd')).toBe('a')
  expect(await images.readFile(`${name}:b`, 'etc/motd')).toBe('b')
  expect(await images.footprint()).toMatchObject({ blobs: 2 + 2 + 3, ingests: 0, snapshots: 3, directories: 3 })
})

test('a pull that is cancelled leaves nothing, and one that shares its layer goes on', async () => {
  await using registry = await startRegistry()
  await using images = await openTestImages()
  const image = buildImage({ layers: [tar([{ name: 'big', content: randomBytes(8_000_000) }])] })
  await registry.push('app:a', image)
  await registry.push('app:b', image)
  const name = `${registry.host}/app`
  const leave = new AbortController()
  const first = images.pull(`${name}:a`, { signal: leave.signal })
  const second = images.pull(`${name}:b`)
  leave.abort()
  await expect(first).rejects.toMatchObject({ kind: 'cancelled' })
  await second
  expect(images.service.get(`${name}:b`).id).toBe(image.id)

  const alone = new AbortController()
  await registry.push('app:c', buildImage({ layers: [tar([{ name: 'c', content: randomBytes(8_000_000) }])] }))
  const progress = await images.service.pull(
    { reference: images.parse(`${name}:c`), allTags: false, platform: undefined, auth: undefined },
    alone.signal,
  )
  await expect(
    (async () => {
      for await (const { status } of progress) if (status === 'Downloading') alone.abort()
    })(),
  ).rejects.toMatchObject({ kind: 'cancelled' })
  expect(await images.footprint()).toEqual({ blobs: 3, ingests: 0, snapshots: 1, directories: 1 })
})

function attestationOf(image: TestImage): object {
  return {
    ...{ mediaType: image.root.mediaType, digest: image.root.digest, size: image.root.size },
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  }
}
