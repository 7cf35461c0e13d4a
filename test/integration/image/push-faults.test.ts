import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { digestOf } from '#base/digest.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { buildImage, buildIndex, toBlob, toDescriptor } from '#test/support/base-image.ts'
import { type Fault, type FaultProxy, type ProxiedRequest, startFaultProxy } from '#test/support/fault-proxy.ts'
import { openTestImages, type TestImages } from '#test/support/images.ts'
import { startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { waitFor } from '#test/support/wait-for.ts'

const pieceBytes = 1 << 20
const small = tar([{ name: 'small', content: 'small' }])
const image = buildImage({ layers: [small, tar([{ name: 'big', content: randomBytes(2.5 * pieceBytes) }])] })
const [smallLayer, bigLayer] = image.layers

let storage: Awaited<ReturnType<typeof tempDirectory>>
let registry: TestRegistry
let proxy: FaultProxy
let images: TestImages
let faultOf: (request: ProxiedRequest) => Fault | undefined
/** A repository that was never written to. */
let name: string
let repositories = 0

beforeAll(async () => {
  storage = await tempDirectory()
  registry = await startRegistry({ storage: storage.path })
  await registry.push('app:latest', image)
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
  await storage[Symbol.asyncDispose]()
})

beforeEach(async () => {
  const opened = new AsyncDisposableStack()
  faultOf = () => undefined
  proxy = opened.use(await startFaultProxy(registry.host, (request) => faultOf(request)))
  images = opened.use(await openTestImages({ pieceBytes }))
  await images.pull(`${registry.host}/app`)
  repositories += 1
  name = `${proxy.host}/new${repositories}`
  await images.service.tag(`${registry.host}/app`, images.parse(name))
  return () => opened.disposeAsync()
})

const isUpload = ({ method, path }: ProxiedRequest) => method === 'PATCH' && path.includes('/blobs/uploads/')
const uploads = () => proxy.requests.filter(isUpload)
const rangesOf = (requests: readonly ProxiedRequest[]) => requests.map(({ headers }) => headers['content-range'])
const count = (method: string, part: string) =>
  proxy.requests.filter((one) => one.method === method && one.path.includes(part)).length

/** Uploads that were begun at the registry and never ended; of one that was taken back, docker-registry keeps empty directories. */
async function leftUploads(): Promise<string[]> {
  const directory = join(storage.path, `docker/registry/v2/repositories/new${repositories}/_uploads`)
  const found = await readdir(directory, { recursive: true }).catch(() => [])
  return found.filter((path) => path.endsWith('/data'))
}

async function expectPushed(): Promise<void> {
  await using fresh = await openTestImages()
  await fresh.pull(`${registry.host}/new${repositories}`)
  expect(fresh.service.get(`${registry.host}/new${repositories}`).root.digest).toBe(image.root.digest)
  expect(await leftUploads()).toEqual([])
}

test('a large blob goes in pieces, a small one in one request', async () => {
  await images.push(name)
  const size = bigLayer?.size ?? 0
  expect(rangesOf(uploads())).toEqual([`0-1048575`, `1048576-2097151`, `2097152-${size - 1}`])
  // Two layers and the config.
  expect([count('POST', '/blobs/uploads/'), count('PUT', '/blobs/uploads/')]).toEqual([3, 3])
  await expectPushed()
})

test('no more layers than allowed are on their way, and the others say that they wait', async () => {
  await using one = await openTestImages({ maxConcurrentUploads: 1 })
  await one.pull(`${registry.host}/app`)
  await one.service.tag(`${registry.host}/app`, one.parse(name))
  const lines = await one.push(name)
  const ofLayers = lines.filter((line) => line === 'Waiting' || line === 'Pushed')
  expect(ofLayers).toEqual(['Waiting', 'Pushed', 'Pushed'])
  const ends = proxy.requests.filter(({ path }) => path.includes('/uploads/')).map(({ method }) => method)
  // Begun, ended, and only then the next; the config is the last.
  expect(ends).toEqual(['POST', 'PUT', 'POST', 'PUT', 'POST', 'PUT'])
})

test('an upload whose connection breaks is taken up where the registry stands', async () => {
  faultOf = (request) => (isUpload(request) && uploads().length === 2 ? { dropAfter: 100_000 } : undefined)
  await images.push(name)
  expect(rangesOf(uploads()).slice(0, 3)).toEqual(['0-1048575', '1048576-2097151', '1048576-2097151'])
  expect(count('POST', '/blobs/uploads/')).toBe(3)
  await expectPushed()
})

test('a registry that goes away in the middle of an upload and comes back is gone on with', async () => {
  await using patient = await openTestImages({ pieceBytes, attempts: 10 })
  await patient.pull(`${registry.host}/app`)
  await using opened = new AsyncDisposableStack()
  const first = await startFaultProxy(registry.host, (request) => {
    if (!isUpload(request) || request.headers['content-range']?.startsWith('0-')) return undefined
    void first[Symbol.asyncDispose]()
    return { dropAfter: 100_000 }
  })
  const target = `${first.host}/new${repositories}`
  await patient.service.tag(`${registry.host}/app`, patient.parse(target))
  const seen: string[] = []
  let second: Promise<FaultProxy> | undefined
  const comeBack = () => startFaultProxy(registry.host, () => undefined, Number(first.host.split(':')[1]))
  await patient.push(target, {
    onProgress: ({ status }) => {
      if (!status?.startsWith('Retrying in')) return
      seen.push(status)
      // The first is of the connection that broke, the second of the registry that is not there.
      if (seen.length === 2) second = comeBack()
    },
  })
  const back = opened.use(await (second ?? comeBack()))
  expect(seen).toEqual(expect.arrayContaining(['Retrying in 1 second']))
  const sent = back.requests.filter(isUpload)
  expect(rangesOf(sent)[0]).toBe('1048576-2097151')
  await expectPushed()
})

test('a registry that has taken a part of what broke is gone on with from there', async () => {
  const part = 1000
  faultOf = (request) => {
    if (isUpload(request) && uploads().length === 1) return { dropAfter: 100_000 }
    // It has nothing, but says otherwise: what follows begins where it says, so the digest is wrong in the end.
    return request.method === 'GET' && request.path.includes('/uploads/')
      ? { status: 204, headers: { range: `0-${part - 1}` } }
      : undefined
  }
  await expect(images.push(name)).rejects.toMatchObject({ message: expect.stringContaining('digest invalid') })
  expect(rangesOf(uploads())[1]).toBe(`${part}-${part + pieceBytes - 1}`)
})

test('an upload that the registry has forgotten is begun again', async () => {
  faultOf = (request) => {
    if (isUpload(request) && uploads().length === 2) return { dropAfter: 100_000 }
    return request.method === 'GET' && request.path.includes('/uploads/') ? { status: 404 } : undefined
  }
  await images.push(name)
  expect(rangesOf(uploads()).slice(0, 3)).toEqual(['0-1048575', '1048576-2097151', '0-1048575'])
  expect(count('POST', '/blobs/uploads/')).toBe(4)
})

test.each([
  ['busy', { status: 503, headers: { 'retry-after': '0' } }],
  ['at another place', { status: 416 }],
])('a registry that is %s is tried again', async (_, fault) => {
  faultOf = (request) => (isUpload(request) && uploads().length === 1 ? fault : undefined)
  await images.push(name)
  await expectPushed()
})

test('a registry that takes no pieces gets the blob in one request', async () => {
  faultOf = (request) => (isUpload(request) && uploads().length > 1 ? { status: 405 } : undefined)
  await images.push(name)
  const whole = proxy.requests.filter(
    ({ method, headers }) => method === 'PUT' && headers['content-length'] === `${bigLayer?.size}`,
  )
  expect([uploads().length, whole.length]).toEqual([2, 1])
  await expectPushed()
})

test('an upload whose last answer is lost is not sent again', async () => {
  const isLast = ({ method, path, headers, before }: ProxiedRequest) =>
    method === 'PUT' && path.includes('/uploads/') && headers['content-length'] === '0' && before === 0
  faultOf = (request) => (isLast(request) ? { forward: true, loseAnswer: true } : undefined)
  await images.push(name)
  expect(uploads()).toHaveLength(3)
  await expectPushed()
})

test('a registry that claims to have more than there is gets the blob from the start', async () => {
  faultOf = (request) => {
    if (isUpload(request) && uploads().length === 1) return { dropAfter: 100_000 }
    return request.method === 'GET' && request.path.includes('/uploads/')
      ? { status: 204, headers: { range: '0-999999999' } }
      : undefined
  }
  await images.push(name)
  expect(rangesOf(uploads()).slice(0, 2)).toEqual(['0-1048575', '0-1048575'])
})

test('whoever gets no token for another repository sends the layers', async () => {
  await images.service.tag(name, images.parse(`${proxy.host}/alone/copy${repositories}`))
  faultOf = ({ path, headers }) => {
    if (path.startsWith('/token')) return path.includes('%3Apull&') ? { status: 403 } : { body: '{"token":"t"}' }
    return headers.authorization === 'Bearer t' && !path.includes('mount=')
      ? undefined
      : { status: 401, headers: challenge(`http://${proxy.host}/token`) }
  }
  const auth = { username: 'me', password: 'secret' }
  await images.push(name, { auth })
  const lines = await images.push(`${proxy.host}/alone/copy${repositories}`, { auth })
  expect(lines.filter((line) => line === 'Pushed')).toHaveLength(2)
})

test('an upload that breaks for ever is given up and taken back', async () => {
  const before = await images.footprint()
  faultOf = (request) => (isUpload(request) ? { dropAfter: 1000 } : undefined)
  await expect(images.push(name)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringMatching(/^Patch "/),
  })
  expect(count('DELETE', '/blobs/uploads/')).toBeGreaterThan(0)
  expect(await leftUploads()).toEqual([])
  expect(await images.footprint()).toEqual(before)
})

test('a push that is cancelled leaves nothing, there or here', async () => {
  const before = await images.footprint()
  const leave = new AbortController()
  faultOf = (request) => (isUpload(request) && uploads().length === 2 ? { dropAfter: 1e9 } : undefined)
  const pushed = images.push(name, { signal: leave.signal })
  await waitFor('the second piece is on its way', () => uploads().length === 2)
  leave.abort()
  await expect(pushed).rejects.toMatchObject({ kind: 'cancelled' })
  await waitFor('the upload is taken back', async () => (await leftUploads()).length === 0)
  expect(await images.footprint()).toEqual(before)
  expect(images.service.get(name).digests).toEqual([expect.stringContaining(registry.host)])
})

test('a registry may say by a path alone where an upload goes on', async () => {
  faultOf = ({ path }) => (path.includes('/blobs/uploads/') ? { forward: true, locationBase: '' } : undefined)
  await images.push(name)
  await expectPushed()
})

test('an upload on another host is shown no credentials', async () => {
  await using elsewhere = await startFaultProxy(registry.host, () => undefined)
  faultOf = ({ method, path, headers }) => {
    if (headers.authorization !== 'Bearer of-the-registry') return { status: 401, headers: challenge('') }
    return method === 'POST' && path.includes('/blobs/uploads/')
      ? { forward: true, locationBase: `http://${elsewhere.host}` }
      : undefined
  }
  await images.push(name, { auth: { registryToken: 'of-the-registry' } })
  expect(elsewhere.requests.length).toBeGreaterThan(4)
  expect(elsewhere.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([])
  await expectPushed()
})

test('a token for reading and writing is fetched once, and one more for what is taken over', async () => {
  await images.service.tag(name, images.parse(`${proxy.host}/sub/copy${repositories}`))
  faultOf = ({ path, headers }) => {
    if (path.startsWith('/token')) return { body: '{"token":"t0ken"}' }
    return headers.authorization === 'Bearer t0ken'
      ? undefined
      : { status: 401, headers: challenge(`http://${proxy.host}/token`) }
  }
  const scopes = () =>
    proxy.requests
      .filter(({ path }) => path.startsWith('/token'))
      .map(({ path }) => new URL(path, 'http://x').searchParams.getAll('scope'))
  const auth = { username: 'me', password: 'secret' }
  await images.push(name, { auth })
  const own = `repository:new${repositories}:pull,push`
  expect(scopes()).toEqual([[own]])
  const lines = await images.push(`${proxy.host}/sub/copy${repositories}`, { auth })
  expect(lines.filter((line) => line.startsWith('Mounted'))).toEqual(Array(2).fill(`Mounted from new${repositories}`))
  const copy = `repository:sub/copy${repositories}:pull,push`
  expect(scopes().slice(1)).toEqual([[copy], [copy, `repository:new${repositories}:pull`]])
  expect(
    proxy.requests.filter(
      ({ path, headers }) => !path.startsWith('/token') && headers.authorization?.startsWith('Basic'),
    ),
  ).toEqual([])
})

test('layers are taken over from another repository without a byte of them sent', async () => {
  await images.push(name)
  const before = proxy.requests.length
  await images.service.tag(name, images.parse(`${proxy.host}/copied/app${repositories}`))
  await images.push(`${proxy.host}/copied/app${repositories}`)
  const sent = proxy.requests.slice(before)
  expect(sent.filter(isUpload)).toEqual([])
  expect(sent.filter(({ method, path }) => method === 'POST' && path.includes('mount=')).length).toBe(2)
})

test('a registry that takes nothing over gets the layers, into the uploads that it began for them', async () => {
  await images.push(name)
  const copy = `${proxy.host}/refused/app${repositories}`
  await images.service.tag(name, images.parse(copy))
  faultOf = ({ path }) => (path.includes('mount=') ? { forward: true, forwardTo: path.replace(/\?.*/, '') } : undefined)
  const lines = await images.push(copy)
  expect(lines.filter((line) => line === 'Pushed')).toHaveLength(2)
})

test("a denied manifest is told in docker's words, and nothing is remembered", async () => {
  const body = '{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}'
  faultOf = ({ method, path }) => (method === 'PUT' && path.includes('/manifests/') ? { status: 403, body } : undefined)
  const before = await images.footprint()
  await expect(images.push(name)).rejects.toMatchObject({
    message: 'denied: requested access to the resource is denied',
  })
  expect(images.service.get(name).digests).toHaveLength(1)
  expect(await images.footprint()).toEqual(before)
})

test('a layer whose blob is not here need not be, where the registry has it', async () => {
  const other = buildImage({ layers: [small], compression: 'zstd', author: 'other' })
  await registry.push('other:latest', other)
  await images.pull(`${registry.host}/other`)
  const direct = `${registry.host}/other:v2`
  await images.service.tag(`${registry.host}/other`, images.parse(direct))
  expect(await images.push(direct)).toContain(`v2: digest: ${other.root.digest} size: ${other.root.size}`)
  // Elsewhere the blob of the same layer in another compression serves.
  const elsewhere = `${proxy.host}/other${repositories}`
  await images.service.tag(direct, images.parse(elsewhere))
  const lines = await images.push(elsewhere)
  expect(lines.at(-1)).not.toContain(other.root.digest)
  await using fresh = await openTestImages()
  await fresh.pull(`${registry.host}/other${repositories}`)
  const pushed = fresh.service.get(`${registry.host}/other${repositories}`)
  expect([pushed.id, pushed.layers.map(({ digest }) => digest)]).toEqual([other.id, [smallLayer?.digest]])
})

test('two blobs of one layer are both pushed', async () => {
  const lower = toBlob(mediaTypes.ociLayerGzip, gzipSync(small, { level: 1 }))
  const upper = toBlob(mediaTypes.ociLayerGzip, gzipSync(small, { level: 9 }))
  const diffId = digestOf(small)
  const config = toBlob(mediaTypes.ociConfig, {
    ...{ os: 'linux', architecture: image.platform.architecture, config: {} },
    rootfs: { type: 'layers', diff_ids: [diffId, diffId] },
  })
  const root = toBlob(mediaTypes.ociManifest, {
    ...{ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: toDescriptor(config) },
    layers: [lower, upper].map(toDescriptor),
  })
  await registry.push('twice:latest', { ...image, root, blobs: [config, lower, upper] })
  await images.pull(`${registry.host}/twice`)
  await images.service.tag(`${registry.host}/twice`, images.parse(name))
  const lines = await images.push(name)
  expect(lines.filter((line) => line === 'Pushed')).toHaveLength(2)
  expect(lines.at(-1)).toContain(root.digest)
})

test("an index is pushed as it is when all of it is here, else this platform's manifest", async () => {
  const arm64 = buildImage({
    layers: [tar([{ name: 'arm', content: 'arm' }])],
    platform: { os: 'linux', architecture: 'arm64' },
  })
  const index = buildIndex([image, arm64])
  await registry.push('multi:latest', index)
  const source = `${registry.host}/multi`
  await images.pull(source)
  await images.service.tag(source, images.parse(name))
  expect((await images.push(name)).at(-1)).toContain(image.root.digest)
  await images.pull(source, { platform: 'linux/arm64' })
  await images.pull(source)
  await images.service.tag(source, images.parse(`${name}:whole`))
  expect((await images.push(`${name}:whole`)).at(-1)).toBe(
    `whole: digest: ${index.root.digest} size: ${index.root.size}`,
  )
  const platform = { os: 'linux', architecture: image.platform.architecture }
  expect((await images.push(`${name}:whole`, { platform })).at(-1)).toContain(image.root.digest)
})

function challenge(realm: string): Record<string, string> {
  return { 'www-authenticate': `Bearer realm="${realm}",service="tests",scope="repository:new${repositories}:pull"` }
}
