import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestOf } from '#base/digest.ts'
import { shortId } from '#base/ids.ts'
import { buildImage, buildIndex, type TestImage } from '#test/support/base-image.ts'
import { startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { seedRegistry, startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'
import { berthFor } from '../cli/client.ts'

const host = '127.0.0.1:5000'
const layers = [tar([{ name: 'below', content: randomBytes(300_000) }]), tar([{ name: 'above', content: 'above' }])]
const app = buildImage({ layers, dialect: 'docker', config: { Labels: { maker: 'us' } } })
const [belowId, aboveId] = layers.map((layer) => shortId(digestOf(layer)))
const arm64 = buildImage({
  layers: [tar([{ name: 'arm', content: 'arm' }])],
  platform: { os: 'linux', architecture: 'arm64' },
})
const zero = `sha256:${'0'.repeat(64)}`

let daemon: TestDaemon
let registry: TestRegistry
/** Another one, which asks for a password. */
let guarded: TestRegistry

beforeAll(async () => {
  daemon = await startDaemon({ withImage: false })
  const storage = join(daemon.directory, 'storage')
  await seedRegistry(storage, { 'from/app:latest': app, 'multi:latest': buildIndex([app, arm64]) })
  registry = await startRegistry({ storage, enter: daemon.enter, port: 5000 })
  guarded = await startRegistry({ basicAuth: true, enter: daemon.enter, port: 5001 })
  await docker('pull', '-q', `${host}/from/app`)
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
  await guarded[Symbol.asyncDispose]()
  await daemon[Symbol.asyncDispose]()
})

const docker = (...args: readonly string[]) => daemon.docker(...args)

/** The lines that are about no layer, in their order, and all others without. */
function linesOf(stdout: string): { whole: string[]; layers: string[] } {
  const lines = stdout.trimEnd().split('\n')
  const isLayer = (line: string) => /^[0-9a-f]{12}: /.test(line)
  return { whole: lines.filter((line) => !isLayer(line)), layers: lines.filter(isLayer).toSorted() }
}

function doneLine(image: TestImage, tag = 'latest'): string {
  return `${tag}: digest: ${image.root.digest} size: ${image.root.size}`
}

test('docker push prints what it prints with dockerd: taken over, pushed, there already', async () => {
  await docker('tag', `${host}/from/app`, `${host}/to/app`)
  const preparing = [`${aboveId}: Preparing`, `${belowId}: Preparing`]
  const first = await docker('push', `${host}/to/app`)
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(linesOf(first.stdout)).toEqual({
    whole: ['Using default tag: latest', `The push refers to repository [${host}/to/app]`, doneLine(app)],
    layers: [...preparing, `${aboveId}: Mounted from from/app`, `${belowId}: Mounted from from/app`].toSorted(),
  })
  const second = await docker('push', `${host}/to/app:latest`)
  expect(linesOf(second.stdout).layers).toEqual(
    [...preparing, `${aboveId}: Layer already exists`, `${belowId}: Layer already exists`].toSorted(),
  )
  const inspected = await daemon.json('GET', `/images/${host}/to/app/json`)
  expect(inspected.RepoDigests).toEqual([`${host}/from/app@${app.root.digest}`, `${host}/to/app@${app.root.digest}`])
})

test('the stream is what dockerd sends, and one event tells of it', async () => {
  await docker('tag', `${host}/from/app`, '127.0.0.1:5001/app')
  const { status, headers, body } = await push('127.0.0.1:5001/app', 'tag=latest', {
    username: 'user',
    password: 'secret',
  })
  expect([status, headers['content-type']]).toEqual([200, 'application/json'])
  const lines = body
    .trimEnd()
    .split('\r\n')
    .map((line) => JSON.parse(line))
  const pushing = lines.filter((line) => line.status === 'Pushing')
  expect(pushing.map(({ id, progressDetail: { total } }) => [id, total])).toEqual(
    expect.arrayContaining([
      [belowId, app.layers[0]?.size],
      [aboveId, app.layers[1]?.size],
    ]),
  )
  const others = lines.filter((line) => line.status !== 'Pushing')
  expect(others.slice(0, 3)).toEqual([
    { status: 'The push refers to repository [127.0.0.1:5001/app]' },
    { status: 'Preparing', progressDetail: {}, id: aboveId },
    { status: 'Preparing', progressDetail: {}, id: belowId },
  ])
  expect(others.slice(3, 5)).toEqual(
    expect.arrayContaining([aboveId, belowId].map((id) => ({ status: 'Pushed', progressDetail: {}, id }))),
  )
  expect(others.slice(5)).toEqual([
    { status: doneLine(app) },
    { progressDetail: {}, aux: { Tag: 'latest', Digest: app.root.digest, Size: app.root.size } },
  ])
  const filters = encodeURIComponent(JSON.stringify({ event: ['push'], image: ['127.0.0.1:5001/app'] }))
  const events = await daemon.request('GET', `/events?since=1&until=${Date.now() / 1000 + 0.01}&filters=${filters}`)
  expect(JSON.parse(events.body)).toMatchObject({
    Action: 'push',
    id: '127.0.0.1:5001/app:latest',
    Actor: { ID: '127.0.0.1:5001/app:latest', Attributes: { maker: 'us', name: '127.0.0.1:5001/app' } },
  })
  expect(daemon.log).not.toContain('secret')
})

test('all tags are pushed one after the other, and pulled again as they were', async () => {
  for (const tag of ['one', 'two']) await docker('tag', `${host}/from/app`, `${host}/all:${tag}`)
  const all = await docker('push', '-a', `${host}/all`)
  expect(linesOf(all.stdout).whole).toEqual([
    `The push refers to repository [${host}/all]`,
    doneLine(app, 'one'),
    doneLine(app, 'two'),
  ])
  expect(await docker('push', '-a', '-q', `${host}/all`)).toMatchObject({ code: 0, stdout: `${host}/all\n` })
  expect(await docker('push', '-q', `${host}/all:two`)).toMatchObject({ code: 0, stdout: `${host}/all:two\n` })
  expect((await docker('rmi', `${host}/all:one`, `${host}/all:two`)).code).toBe(0)
  const pulled = await docker('pull', `${host}/all:two`)
  expect(pulled.stdout).toContain(`Digest: ${app.root.digest}\n`)
})

test.each([
  [
    'no such image',
    'nosuch',
    'tag=latest',
    'docker.io/library/nosuch',
    'An image does not exist locally with the tag: nosuch',
  ],
  ['no such tag', `${host}/from/app`, 'tag=nope', `${host}/from/app`, `tag does not exist: ${host}/from/app:nope`],
  ['a digest', `${host}/from/app@${zero}`, '', `${host}/from/app`, 'cannot push a digest reference'],
  [
    'nobody there',
    '127.0.0.1:5999/app',
    'tag=latest',
    '127.0.0.1:5999/app',
    'Get "http://127.0.0.1:5999/v2/": dial tcp 127.0.0.1:5999: connect: connection refused',
  ],
  ['no password', '127.0.0.1:5001/app', 'tag=latest', '127.0.0.1:5001/app', 'no basic auth credentials'],
])('%s is told in the stream, as dockerd does', async (_, name, query, repository, message) => {
  await docker('tag', `${host}/from/app`, '127.0.0.1:5999/app')
  const { status, body } = await push(name, query, {})
  const lines = body
    .trimEnd()
    .split('\r\n')
    .map((line) => JSON.parse(line))
  expect([status, lines[0], lines.at(-1)]).toEqual([
    200,
    { status: `The push refers to repository [${repository}]` },
    { errorDetail: { message }, error: message },
  ])
})

test("a wrong password is told in the registry's words", async () => {
  const { body } = await push('127.0.0.1:5001/app', 'tag=latest', { username: 'user', password: 'guess' })
  expect(body).toContain('"error":"unauthorized: authentication required"')
  expect(body).not.toContain('guess')
})

test.each([
  [
    404,
    'tag=latest&platform={"os":"linux","architecture":"arm64"}',
    `image with reference ${host}/from/app:latest was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)`,
  ],
  [
    400,
    'tag=latest&platform=linux/arm64',
    "failed to parse platform: invalid character 'l' looking for beginning of value",
  ],
  [400, 'tag=latest&platform={"architecture":"arm64"}', 'both OS and Architecture must be provided'],
  [400, 'tag=in valid', 'invalid tag format'],
])('before the first byte: %s for %s', async (expected, query, message) => {
  const { status, body } = await push(`${host}/from/app`, encodeURI(query), {})
  expect([status, JSON.parse(body)]).toEqual([expected, { message }])
})

test('our client pushes as docker does', async () => {
  const berth = berthFor(daemon)
  await docker('tag', `${host}/from/app`, `${host}/berth/app`)
  const pushed = await berth('push', `${host}/berth/app`)
  expect(pushed).toMatchObject({ code: 0, stderr: '' })
  expect(linesOf(pushed.stdout).whole).toEqual([
    'Using default tag: latest',
    `The push refers to repository [${host}/berth/app]`,
    doneLine(app),
  ])
  expect(await berth('push', '-q', '--platform', 'linux/amd64', `${host}/berth/app`)).toMatchObject({
    code: 0,
    stdout: `${host}/berth/app:latest\n`,
  })
  expect(await berth('push', '-a', `${host}/berth/app:latest`)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("tag can't be used with --all-tags/-a"),
  })
  expect(await berth('push', 'nosuch')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('An image does not exist locally with the tag: nosuch'),
  })
})

async function push(name: string, query: string, auth: object) {
  const header = Buffer.from(JSON.stringify(auth)).toString('base64url')
  return await daemon.request('POST', `/images/${name}/push?${query}`, undefined, { 'X-Registry-Auth': header })
}
