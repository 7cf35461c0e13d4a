import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { digestOf } from '#base/digest.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { buildImage, toBlob, toDescriptor } from '#test/support/base-image.ts'
import { type Fault, type FaultProxy, type ProxiedRequest, startFaultProxy } from '#test/support/fault-proxy.ts'
import { openTestImages, type TestImages } from '#test/support/images.ts'
import { startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'

const image = buildImage({ layers: [tar([{ name: 'etc/' }, { name: 'etc/motd', content: 'whole' }]), bigLayer()] })
const lastLayer = image.layers[1]
const nothing = { blobs: 0, ingests: 0, snapshots: 0, directories: 0 }

let registry: TestRegistry
let proxy: FaultProxy
let images: TestImages
let faultOf: (request: ProxiedRequest) => Fault | undefined
let name: string

beforeAll(async () => {
  registry = await startRegistry()
  await registry.push('app:latest', image)
})
afterAll(() => registry[Symbol.asyncDispose]())

beforeEach(async () => {
  const opened = new AsyncDisposableStack()
  proxy = opened.use(await startFaultProxy(registry.host, (request) => faultOf(request)))
  images = opened.use(await openTestImages())
  name = `${proxy.host}/app`
  return () => opened.disposeAsync()
})

const isBlob = ({ path }: ProxiedRequest, digest = lastLayer?.digest) => path.endsWith(`/blobs/${digest}`)
const isManifest = ({ path }: ProxiedRequest) => path.includes('/manifests/')
const html = { headers: { 'content-type': 'text/html' }, body: '<html>Welcome to the hotel</html>' }

test.each([
  ['is closed', {}],
  ['is reset', { reset: true }],
  ['is closed, of a blob of untold length,', { chunked: true }],
])('a blob whose connection %s is taken up where it broke', async (_, how) => {
  const fault = { forward: true, cutAfter: 100_000, ...how }
  faultOf = (request) => (isBlob(request) && request.before < 2 ? fault : undefined)
  await images.pull(name)
  expect(await images.readFile(name, 'etc/motd')).toBe('whole')
  const ranges = proxy.requests.filter((one) => isBlob(one)).map(({ headers }) => headers.range)
  expect(ranges[0]).toBeUndefined()
  expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/)
})

test('a registry that ignores ranges sends the blob again, and it is whole', async () => {
  faultOf = (request) => {
    if (!isBlob(request)) return undefined
    return request.before === 0 ? { forward: true, cutAfter: 100_000 } : { body: lastLayer?.bytes ?? '' }
  }
  await images.pull(name)
  expect(await images.readFile(name, 'etc/motd')).toBe('whole')
})

test('a registry that goes away in the middle of a layer and comes back is taken up where it was', async () => {
  faultOf = () => undefined
  await using patient = await openTestImages({ attempts: 10 })
  await using opened = new AsyncDisposableStack()
  const first = await startFaultProxy(registry.host, (request) => {
    if (!isBlob(request)) return undefined
    if (request.before === 0) return { forward: true, cutAfter: 100_000 }
    void first[Symbol.asyncDispose]()
    return { stall: true }
  })
  const seen: string[] = []
  let second: Promise<FaultProxy> | undefined
  const comeBack = () => startFaultProxy(registry.host, () => undefined, Number(first.host.split(':')[1]))
  await patient.pull(`${first.host}/app`, {
    onProgress: ({ status }) => {
      if (!status.startsWith('Retrying in')) return
      seen.push(status)
      // The first is of the connection that broke, the second of the registry that is not there.
      if (seen.length === 2) second = comeBack()
    },
  })
  const back = opened.use(await (second ?? comeBack()))
  expect(seen).toEqual(expect.arrayContaining(['Retrying in 1 second']))
  expect(await patient.readFile(`${first.host}/app`, 'etc/motd')).toBe('whole')
  expect(back.requests.filter((one) => isBlob(one)).map(({ headers }) => headers.range)).toEqual([
    expect.stringMatching(/^bytes=[1-9]/),
  ])
})

test('a registry that sends another range than it is asked for is asked for all of it', async () => {
  const other = { status: 206, headers: { 'content-range': 'bytes 5-599999/600000' }, body: 'x'.repeat(1000) }
  faultOf = (request) => {
    if (!isBlob(request)) return undefined
    return [{ forward: true, cutAfter: 100_000 }, other][request.before]
  }
  await images.pull(name)
  expect(await images.readFile(name, 'etc/motd')).toBe('whole')
  expect(proxy.requests.filter((one) => isBlob(one)).map(({ headers }) => headers.range?.replace(/\d+/, 'n'))).toEqual([
    undefined,
    'bytes=n-',
    undefined,
  ])
})

test('a registry that breaks off after a few bytes each time is given up', async () => {
  faultOf = (request) => (isBlob(request) ? { forward: true, cutAfter: 10 } : undefined)
  await expect(images.pull(name)).rejects.toMatchObject({ kind: 'unavailable' })
  expect(proxy.requests.filter((one) => isBlob(one))).toHaveLength(3)
})

test('a registry that stalls is left and asked again', async () => {
  faultOf = (request) =>
    isBlob(request) && request.before === 0 ? { forward: true, cutAfter: 1000, stall: true } : undefined
  await images.pull(name)
  expect(await images.readFile(name, 'etc/motd')).toBe('whole')
})

test('a registry that sends single bytes for ever is left and asked again', async () => {
  faultOf = (request) => (isBlob(request) && request.before === 0 ? { forward: true, trickleMs: 20 } : undefined)
  await images.pull(name)
  expect(await images.readFile(name, 'etc/motd')).toBe('whole')
  expect(proxy.requests.filter((one) => isBlob(one)).length).toBeGreaterThan(1)
})

test('a manifest that comes byte by byte has a time limit', async () => {
  faultOf = (request) =>
    isManifest(request) && request.method === 'GET' ? { forward: true, trickleMs: 20 } : undefined
  await expect(images.pull(name)).rejects.toMatchObject({ kind: 'timeout' })
})

test.each([429, 500, 502, 503])('answer %s is tried again', async (status) => {
  faultOf = (request) => (request.before === 0 ? { status, headers: { 'retry-after': '0' } } : undefined)
  await images.pull(name)
  expect(await images.readFile(name, 'etc/motd')).toBe('whole')
})

test('a registry that stays busy is told in its own words', async () => {
  const body = JSON.stringify({ errors: [{ code: 'TOOMANYREQUESTS', message: 'slow down' }] })
  faultOf = () => ({ status: 429, headers: { 'retry-after': '0' }, body })
  await expect(images.pull(name)).rejects.toMatchObject({ kind: 'unavailable', message: 'toomanyrequests: slow down' })
  // Three attempts, and one more for its words.
  expect(proxy.requests.map(({ method }) => method)).toEqual(['HEAD', 'HEAD', 'HEAD', 'GET'])
})

test('a registry that asks to come back in an hour is not waited for', async () => {
  const body = JSON.stringify({
    errors: [{ code: 'TOOMANYREQUESTS', message: 'You have reached your pull rate limit.' }],
  })
  faultOf = () => ({ status: 429, headers: { 'retry-after': '3600' }, body })
  await expect(images.pull(name)).rejects.toMatchObject({
    message: 'toomanyrequests: You have reached your pull rate limit.',
  })
})

test.each<[string, (request: ProxiedRequest) => Fault | undefined, object]>([
  [
    'other bytes than the digest',
    (request) => (isBlob(request) ? { body: randomBytes(lastLayer?.size ?? 0) } : undefined),
    { kind: 'data-loss', message: `filesystem layer verification failed for digest ${lastLayer?.digest}` },
  ],
  [
    'a shorter blob than announced',
    (request) => (isBlob(request) ? { body: lastLayer?.bytes.subarray(0, 1000) ?? '' } : undefined),
    { kind: 'data-loss', message: expect.stringContaining('has 1000 bytes at the registry') },
  ],
  [
    'a longer blob than announced',
    (request) =>
      isBlob(request) ? { body: Buffer.concat([lastLayer?.bytes ?? Buffer.alloc(0), randomBytes(9)]) } : undefined,
    { kind: 'data-loss' },
  ],
  [
    'a blob that is shorter than it should be without saying so',
    (request) => (isBlob(request) ? { body: lastLayer?.bytes.subarray(0, 1000) ?? '', chunked: true } : undefined),
    { kind: 'unavailable', message: expect.stringContaining('unexpected EOF after 1000 of') },
  ],
  [
    'a blob that is longer than it should be without saying so',
    (request) =>
      isBlob(request)
        ? { body: Buffer.concat([lastLayer?.bytes ?? Buffer.alloc(0), randomBytes(9)]), chunked: true }
        : undefined,
    { kind: 'data-loss', message: expect.stringContaining('has more than the') },
  ],
  [
    'a blob that always breaks off at the start',
    (request) => (isBlob(request) ? { forward: true, cutAfter: 0 } : undefined),
    { kind: 'unavailable' },
  ],
  [
    'no such blob',
    (request) =>
      isBlob(request)
        ? { status: 404, body: '{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}' }
        : undefined,
    { message: 'blob unknown: blob unknown to registry' },
  ],
  ['a web page as manifest', (request) => (isManifest(request) ? html : undefined), { kind: 'invalid' }],
  ['a web page as blob', (request) => (isBlob(request) ? html : undefined), { kind: 'data-loss' }],
  [
    'a web page in the length of the blob',
    (request) => (isBlob(request) ? { ...html, body: html.body.padEnd(lastLayer?.size ?? 0) } : undefined),
    { kind: 'data-loss', message: `filesystem layer verification failed for digest ${lastLayer?.digest}` },
  ],
  [
    'a web page as token',
    ({ path }) => (path.startsWith('/token') ? html : { status: 401, headers: bearer(`http://${proxy.host}/token`) }),
    { kind: 'invalid', message: expect.stringMatching(/^the token of 127\.0\.0\.1:\d+ is not JSON/) },
  ],
  [
    'a token that would be a header of its own',
    ({ path }) =>
      path.startsWith('/token')
        ? { body: '{"token":"a\\r\\nx: y"}' }
        : { status: 401, headers: bearer(`http://${proxy.host}/token`) },
    { kind: 'invalid', message: expect.stringContaining('sent a malformed token') },
  ],
  [
    'garbage as manifest',
    (request) =>
      isManifest(request) ? { headers: { 'content-type': mediaTypes.ociManifest }, body: '{"schemaVer' } : undefined,
    { kind: 'invalid', message: expect.stringContaining('is not JSON') },
  ],
  [
    'a manifest that is an index as well',
    (request) =>
      isManifest(request) ? manifestFault({ schemaVersion: 2, config: {}, layers: [], manifests: [] }) : undefined,
    { kind: 'invalid', message: expect.stringContaining('both a manifest and an index') },
  ],
  [
    'a manifest served as another type than it says',
    (request) =>
      isManifest(request)
        ? manifestFault({ schemaVersion: 2, mediaType: mediaTypes.dockerManifest, layers: [] })
        : undefined,
    { kind: 'invalid', message: expect.stringContaining('was served as') },
  ],
  [
    'a manifest without end',
    (request) => (isManifest(request) ? manifestFault({ schemaVersion: 2, junk: 'x'.repeat(5 << 20) }) : undefined),
    { kind: 'too-large' },
  ],
  [
    'an image of schema 1',
    (request) =>
      isManifest(request)
        ? {
            headers: { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' },
            body: '{"schemaVersion":1}',
          }
        : undefined,
    { kind: 'invalid', message: expect.stringContaining('schema 1') },
  ],
  [
    'a manifest with another digest than the headers say',
    (request) =>
      request.method === 'GET' && isManifest(request)
        ? { ...manifestFault({ schemaVersion: 2, layers: [] }) }
        : undefined,
    { kind: 'data-loss', message: expect.stringContaining('manifest verification failed for digest') },
  ],
  [
    'redirects without end',
    (request) => (isBlob(request) ? { status: 307, headers: { location: request.path } } : undefined),
    { kind: 'invalid', message: expect.stringContaining('redirects more than') },
  ],
])('%s is refused and leaves nothing', async (_, fault, expected) => {
  faultOf = fault
  await expect(images.pull(name)).rejects.toMatchObject(expected)
  expect(images.service.list(images.noFilters)).toEqual([])
  expect(await images.footprint()).toEqual(nothing)
})

test('a failed pull keeps what other images need', async () => {
  faultOf = () => undefined
  const other = buildImage({
    layers: [tar([{ name: 'etc/' }, { name: 'etc/motd', content: 'whole' }])],
    author: 'other',
  })
  await registry.push('other:latest', other)
  await images.pull(`${proxy.host}/other`)
  const before = await images.footprint()
  faultOf = (request) => (isBlob(request) ? { body: randomBytes(lastLayer?.size ?? 0) } : undefined)
  await expect(images.pull(name)).rejects.toMatchObject({ kind: 'data-loss' })
  expect(await images.footprint()).toEqual(before)
  expect(await images.readFile(`${proxy.host}/other`, 'etc/motd')).toBe('whole')
})

test('a layer that is not what the config says is refused and leaves nothing', async () => {
  faultOf = () => undefined
  const lying = buildImage({ layers: [tar([{ name: 'x' }])], diffIds: [digestOf('something else')] })
  await registry.push('lying:latest', lying)
  await expect(images.pull(`${proxy.host}/lying`)).rejects.toMatchObject({ kind: 'data-loss' })
  expect(await images.footprint()).toEqual(nothing)
})

test.each([
  ['a path out of the layer', [{ name: '../../etc/passwd', content: 'root::0:0::/:/bin/sh' }]],
  ['a hard link out of the layer', [{ name: 'x', type: '1', link: '../../../../etc/shadow' }]],
])('%s is refused or stays inside, and leaves nothing outside', async (_, entries) => {
  faultOf = () => undefined
  await registry.push('evil:latest', buildImage({ layers: [tar(entries)] }))
  await expect(images.pull(`${proxy.host}/evil`)).rejects.toMatchObject({ kind: 'invalid' })
  expect(await images.footprint()).toEqual(nothing)
})

test('a foreign layer is refused', async () => {
  faultOf = () => undefined
  const [blob] = image.blobs
  const layers = [
    { ...toDescriptor(image.layers[0] as never), mediaType: mediaTypes.dockerForeignLayer, urls: ['http://x'] },
  ]
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: toDescriptor(blob as never),
    layers,
  }
  const root = toBlob(mediaTypes.dockerManifest, manifest)
  faultOf = (request) =>
    isManifest(request) ? { headers: { 'content-type': root.mediaType }, body: root.bytes } : undefined
  await expect(images.pull(name)).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining('is a foreign layer'),
  })
})

test('a redirect to another host takes the blob from there and shows it no credentials', async () => {
  const elsewhere: ProxiedRequest[] = []
  await using storage = await startFaultProxy(registry.host, (request) => {
    elsewhere.push(request)
    return { body: lastLayer?.bytes ?? '' }
  })
  faultOf = (request) => {
    if (request.headers.authorization !== 'Bearer of-the-registry') return { status: 401, headers: bearer('') }
    return isBlob(request) ? { status: 307, headers: { location: `http://${storage.host}/signed?key=1` } } : undefined
  }
  await images.pull(name, { auth: { registryToken: 'of-the-registry' } })
  expect(await images.readFile(name, 'etc/motd')).toBe('whole')
  expect(elsewhere.map(({ path, headers }) => [path, headers.authorization])).toEqual([['/signed?key=1', undefined]])
})

test('a token is fetched once for the whole pull, with the credentials only at its server', async () => {
  faultOf = ({ path, headers }) => {
    if (path.startsWith('/token')) return { body: '{"token":"t0ken"}' }
    return headers.authorization === 'Bearer t0ken'
      ? undefined
      : { status: 401, headers: bearer(`http://${proxy.host}/token`) }
  }
  await images.pull(name, { auth: { username: 'me', password: 'secret' } })
  const tokens = proxy.requests.filter(({ path }) => path.startsWith('/token'))
  expect(tokens.map(({ path }) => Object.fromEntries(new URL(path, 'http://x').searchParams))).toEqual([
    { service: 'tests', scope: 'repository:app:pull', account: 'me' },
  ])
  expect(tokens[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`)
  for (const { path, headers } of proxy.requests) {
    if (!path.startsWith('/token')) expect(headers.authorization ?? '').not.toContain('Basic')
  }
})

test('a registry that asks for ever newer tokens is given up', async () => {
  faultOf = ({ path }) =>
    path.startsWith('/token')
      ? { body: '{"token":"t"}' }
      : { status: 401, headers: bearer(`http://${proxy.host}/token`) }
  await expect(images.pull(name)).rejects.toMatchObject({
    kind: 'unauthorized',
    message: 'unauthorized: authentication required',
  })
  expect(proxy.requests.length).toBeLessThan(8)
})

test('a hub that denies is told as docker does', async () => {
  const challenge = `Bearer realm="http://${proxy.host}/token",service="tests",error="insufficient_scope"`
  faultOf = ({ path }) =>
    path.startsWith('/token') ? { body: '{"token":"t"}' } : { status: 401, headers: { 'www-authenticate': challenge } }
  await expect(images.pull(name)).rejects.toMatchObject({
    kind: 'not-found',
    message: `pull access denied for ${name}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
  })
})

function bearer(realm: string): Record<string, string> {
  return { 'www-authenticate': `Bearer realm="${realm}",service="tests",scope="repository:app:pull"` }
}

function manifestFault(manifest: object): Fault {
  return { headers: { 'content-type': mediaTypes.ociManifest }, body: JSON.stringify(manifest) }
}

function bigLayer(): Buffer {
  return tar([{ name: 'big', content: randomBytes(600_000) }])
}
