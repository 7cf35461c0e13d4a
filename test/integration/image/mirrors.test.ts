import { expect, test } from 'vitest'
import { buildImage } from '#test/support/base-image.ts'
import { type Fault, type ProxiedRequest, startFaultProxy } from '#test/support/fault-proxy.ts'
import { openTestImages } from '#test/support/images.ts'
import { startRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'

const image = buildImage({ layers: [tar([{ name: 'etc/' }, { name: 'etc/motd', content: 'mirrored' }])] })
const [layer] = image.layers
const isLayer = ({ path }: ProxiedRequest) => path.includes(`/blobs/${layer?.digest}`)

/** A registry and, before it, a mirror and the registry itself as hosts of their own. */
async function openScene(faults: { mirror?: FaultOf; origin?: FaultOf }) {
  await using opened = new AsyncDisposableStack()
  const registry = opened.use(await startRegistry())
  const mirror = opened.use(await startFaultProxy(registry.host, faults.mirror ?? (() => undefined)))
  const origin = opened.use(await startFaultProxy(registry.host, faults.origin ?? (() => undefined)))
  const resources = opened.move()
  return { registry, mirror, origin, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
type FaultOf = (request: ProxiedRequest) => Fault | undefined

const dead = 'http://127.0.0.1:1'

test('repositories below a prefix come from its first mirror that answers, below the path of the mirror', async () => {
  await using scene = await openScene({})
  const { origin, mirror, registry } = scene
  await registry.push('cache/org/app:latest', image)
  await registry.push('other/app:latest', image)
  const mirrors = [dead, `http://${mirror.host}/cache`]
  await using images = await openTestImages({
    registries: { registries: { [`${origin.host}/org`]: { mirrors } } },
  })
  await images.pull(`${origin.host}/org/app`)
  expect(await images.readFile(`${origin.host}/org/app`, 'etc/motd')).toBe('mirrored')
  expect(origin.requests).toEqual([])
  await images.pull(`${origin.host}/other/app`)
  expect(mirror.requests.every(({ path }) => path.startsWith('/v2/cache/org/app/'))).toBe(true)
  expect(origin.requests.length).toBeGreaterThan(0)
})

test('a mirror learns which registry is meant, and never the credentials for it', async () => {
  const ask = { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }
  await using scene = await openScene({ mirror: () => ask })
  const { origin, mirror, registry } = scene
  await registry.push('app:latest', image)
  await using images = await openTestImages({
    registries: { registries: { [origin.host]: { mirrors: [`http://${mirror.host}`] } } },
  })
  await images.pull(`${origin.host}/app`, { auth: { username: 'me', password: 'secret' } })
  expect(mirror.requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([
    [`/v2/app/manifests/latest?ns=${encodeURIComponent(origin.host)}`, undefined],
  ])
  expect(origin.requests.some(({ path }) => path.includes('ns='))).toBe(false)
})

test.each<[string, Fault]>([
  ['lacks the layer', { status: 404, body: '{"errors":[{"code":"BLOB_UNKNOWN","message":"gone"}]}' }],
  ['is out of order', { status: 503 }],
  ['has a shorter layer', { body: 'short' }],
  ['has other bytes', { body: Buffer.alloc(layer?.size ?? 0) }],
  ['breaks off again and again', { forward: true, cutAfter: 0 }],
])('when a mirror %s, the layer comes from the registry', async (_, fault) => {
  await using scene = await openScene({ mirror: (request) => (isLayer(request) ? fault : undefined) })
  const { origin, mirror, registry } = scene
  await registry.push('app:latest', image)
  await using images = await openTestImages({
    registries: { registries: { [origin.host]: { mirrors: [`http://${mirror.host}`] } } },
  })
  await images.pull(`${origin.host}/app`)
  expect(await images.readFile(`${origin.host}/app`, 'etc/motd')).toBe('mirrored')
  expect(origin.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([`GET /v2/app/blobs/${layer?.digest}`])
})

test('a mirror that knows the name to be missing is believed when the registry cannot be reached', async () => {
  await using registry = await startRegistry()
  await using images = await openTestImages({
    registries: { registries: { '127.0.0.1:1': { mirrors: [`http://${registry.host}`] } } },
  })
  await expect(images.pull('127.0.0.1:1/nosuch')).rejects.toMatchObject({ kind: 'not-found' })
})

test('when nobody has it, the registry itself is heard', async () => {
  await using scene = await openScene({ mirror: () => ({ status: 500 }) })
  const { origin, mirror } = scene
  await using images = await openTestImages({
    registries: { registries: { [origin.host]: { mirrors: [`http://${mirror.host}`, dead] } } },
  })
  await expect(images.pull(`${origin.host}/nosuch`)).rejects.toMatchObject({
    kind: 'not-found',
    message: `manifest for ${origin.host}/nosuch:latest not found: manifest unknown: manifest unknown`,
  })
  // Once for its headers and once for its words, but never again.
  expect(mirror.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET'])
})
