import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { buildImage } from '#test/support/base-image.ts'
import { type ProxiedRequest, startFaultProxy } from '#test/support/fault-proxy.ts'
import { openTestImages, type TestImages } from '#test/support/images.ts'
import { seedRegistry, startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { startTokenServer, type TokenServer } from '#test/support/token-server.ts'

const password = { username: 'user', password: 'secret' }
const image = buildImage({
  layers: [
    tar([{ name: 'etc/' }, { name: 'etc/motd', content: 'granted' }]),
    tar([{ name: 'b', content: randomBytes(300_000) }]),
  ],
})
const bigLayer = image.layers[1]?.digest ?? ''

let opened: AsyncDisposableStack
let office: TokenServer
let registry: TestRegistry
let images: TestImages
let asked: number

beforeAll(async () => {
  opened = new AsyncDisposableStack()
  const storage = opened.use(await tempDirectory()).path
  await seedRegistry(storage, { 'public/app:latest': image, 'private/app:latest': image })
  office = opened.use(await startTokenServer())
  registry = opened.use(await startRegistry({ storage, tokenAuth: office.auth }))
})
afterAll(() => opened.disposeAsync())
beforeEach(async () => {
  asked = office.requests.length
  images = await openTestImages()
})
afterEach(() => images[Symbol.asyncDispose]())

const tokenRequests = () => office.requests.slice(asked)

test('nobody in particular pulls what is public, with one token for all of it', async () => {
  await images.pull(`${registry.host}/public/app`)
  expect(await images.readFile(`${registry.host}/public/app`, 'etc/motd')).toBe('granted')
  expect(tokenRequests()).toEqual([
    { method: 'GET', parameters: { service: 'tests', scope: 'repository:public/app:pull' }, as: 'nobody' },
  ])
})

test('what is private is denied to nobody in the words of docker', async () => {
  const name = `${registry.host}/private/app`
  await expect(images.pull(name)).rejects.toMatchObject({
    kind: 'not-found',
    message: expect.stringMatching(
      new RegExp(`^pull access denied for ${name}, repository does not exist or may require 'docker login': denied: `),
    ),
  })
})

test('a password opens what is private, and a wrong one is told', async () => {
  await images.pull(`${registry.host}/private/app`, { auth: password })
  expect(tokenRequests()).toEqual([
    {
      method: 'GET',
      parameters: { service: 'tests', scope: 'repository:private/app:pull', account: 'user' },
      as: 'password',
    },
  ])
  await expect(
    images.pull(`${registry.host}/private/app`, { auth: { ...password, password: 'guess' } }),
  ).rejects.toMatchObject({ kind: 'unauthorized', message: 'unauthorized: incorrect username or password' })
})

test('a login gives a token that lasts, and that opens what is private by itself', async () => {
  const { signal } = new AbortController()
  const identityToken = await images.service.login(registry.host, password, signal)
  expect(identityToken).not.toBe('')
  await images.pull(`${registry.host}/private/app`, { auth: { identityToken } })
  expect(tokenRequests()).toEqual([
    {
      method: 'GET',
      parameters: { service: 'tests', offline_token: 'true', client_id: 'berth', account: 'user' },
      as: 'password',
    },
    {
      method: 'POST',
      parameters: {
        ...{ grant_type: 'refresh_token', client_id: 'berth' },
        ...{ service: 'tests', scope: 'repository:private/app:pull' },
      },
      as: 'refresh-token',
    },
  ])
  await expect(
    images.pull(`${registry.host}/private/app`, { auth: { identityToken: 'revoked' } }),
  ).rejects.toMatchObject({ kind: 'unauthorized' })
})

test('a token that is no longer good in the middle of a layer is renewed, and the layer goes on where it was', async () => {
  const isLayer = ({ path }: ProxiedRequest) => path.endsWith(bigLayer)
  const expired = `Bearer realm="${office.auth.realm}",service="tests",scope="repository:private/app:pull",error="invalid_token"`
  await using proxy = await startFaultProxy(registry.host, (request) => {
    if (!isLayer(request)) return undefined
    if (request.before === 0) return { forward: true, cutAfter: 100_000 }
    return request.before === 1 ? { status: 401, headers: { 'www-authenticate': expired } } : undefined
  })
  await images.pull(`${proxy.host}/private/app`, { auth: password })
  expect(await images.readFile(`${proxy.host}/private/app`, 'etc/motd')).toBe('granted')
  expect(tokenRequests()).toHaveLength(2)
  const ofLayer = proxy.requests.filter(isLayer)
  expect(ofLayer).toHaveLength(3)
  expect(ofLayer[2]?.headers.range).toBe(ofLayer[1]?.headers.range)
  expect(ofLayer[2]?.headers.range).toMatch(/^bytes=[1-9]/)
  expect(ofLayer[2]?.headers.authorization).not.toBe(ofLayer[1]?.headers.authorization)
})

test('a token that never is good enough is not asked for again and again', async () => {
  const insufficient = `Bearer realm="${office.auth.realm}",service="tests",scope="repository:private/app:pull"`
  await using proxy = await startFaultProxy(registry.host, () => ({
    status: 401,
    headers: { 'www-authenticate': insufficient },
  }))
  await expect(images.pull(`${proxy.host}/private/app`, { auth: password })).rejects.toMatchObject({
    kind: 'unauthorized',
  })
  expect(tokenRequests().length).toBeLessThanOrEqual(2)
  expect(proxy.requests.length).toBeLessThanOrEqual(4)
})

test.each([302, 307, 308])('a token that lasts is not sent on where a token server points to (%i)', async (status) => {
  await using thief = await startFaultProxy(registry.host, () => ({ body: JSON.stringify({ token: 'x' }) }))
  await using proxy = await startFaultProxy(registry.host, ({ path }) =>
    path.startsWith('/token')
      ? { status, headers: { location: `http://${thief.host}/token` } }
      : { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${proxy.host}/token",service="tests"` } },
  )
  const pulling = images.pull(`${proxy.host}/private/app`, { auth: { identityToken: 'a-token-that-lasts' } })
  await expect(pulling).rejects.toMatchObject({
    kind: 'forbidden',
    message: `${proxy.host} sends us on to ${thief.host}, to which credentials are not sent`,
  })
  expect(thief.requests).toEqual([])
})
