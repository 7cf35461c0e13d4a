import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { digestOf } from '#base/digest.ts'
import type { ImportFrom } from '#images/archive/import-source.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { hostPlatform } from '#oci/platform.ts'
import { openTestImages, type TestImages } from '#test/support/images.ts'
import { tar } from '#test/support/tar.ts'

const files = tar([{ name: 'etc/' }, { name: 'etc/motd', content: 'hello' }])
const nothing = { blobs: 0, ingests: 0, snapshots: 0, directories: 0 }

/** @returns the lines of progress and the id at their end */
async function importFrom(images: TestImages, source: Uint8Array | string, options: Partial<ImportFrom> = {}) {
  const from = typeof source === 'string' ? source : Readable.from([source], { objectMode: false })
  const request = { source: from, message: '', changes: [], ...options }
  const lines = await Array.fromAsync(await images.service.import(request, new AbortController().signal))
  return { lines: lines.map(({ status }) => status), id: lines.at(-1)?.status ?? '' }
}

async function serve(listener: RequestListener): Promise<AsyncDisposable & { readonly origin: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

test.each([
  ['plain', files],
  ['gzip', gzipSync(files)],
  ['xz', execFileSync('xz', ['-c'], { input: files })],
])(
  'a tar that is %s becomes an image of one plain layer, with the config and history that dockerd writes',
  async (_, source) => {
    await using images = await openTestImages()
    const reference = images.parse('me/app:v1')
    const { lines, id } = await importFrom(images, source, { reference, changes: ['CMD ["sh"]', 'ENV a=<b>'] })
    expect(lines).toEqual([id])
    const image = images.service.get('me/app:v1')
    expect(image).toMatchObject({
      id,
      layers: [{ mediaType: mediaTypes.ociLayer, digest: digestOf(files), size: files.length }],
      config: {
        ...hostPlatform,
        diffIds: [digestOf(files)],
        config: { Cmd: ['sh'], Env: ['a=<b>'] },
        history: [{ comment: 'Imported from -', created: image.config.created }],
      },
    })
    expect(await images.readFile('me/app:v1', 'etc/motd')).toBe('hello')
    expect(images.events.map(({ action, actor }) => [action, actor])).toEqual([
      ['tag', { id, attributes: { name: 'me/app:v1' } }],
      ['import', { id, attributes: { name: id } }],
    ])
    expect(await images.footprint()).toEqual({ blobs: 3, ingests: 0, snapshots: 1, directories: 1 })
  },
)

test('platform, message and the lack of a name are taken as they are given', async () => {
  await using images = await openTestImages()
  const platform = { os: 'linux', architecture: 'arm', variant: 'v7' }
  const { id } = await importFrom(images, files, { platform, message: 'from tape' })
  expect(images.service.get(id)).toMatchObject({
    tags: [],
    config: { ...platform, history: [{ comment: 'from tape' }] },
  })
})

test.each<readonly [string, Uint8Array, Partial<ImportFrom>, RegExp]>([
  ['a text', Buffer.from('<html>404</html>'.repeat(100)), {}, /cannot be imported: this is no tar archive/],
  [
    'a damaged stream',
    gzipSync(files).subarray(0, -10),
    {},
    /cannot be imported: the gzip stream of the layer is cut off/,
  ],
  ['a member that leaves the root', tar([{ name: '../x', content: 'x' }]), {}, /cannot be imported: .*\.\./],
  ['a bad change', files, { changes: ['RUN x'] }, /^RUN is not a valid change command$/],
  [
    'another system',
    files,
    { platform: { os: 'windows', architecture: 'amd64' } },
    /^operating system is not supported$/,
  ],
])('%s is refused, and nothing stays', async (_, source, options, message) => {
  await using images = await openTestImages()
  await expect(importFrom(images, source, options)).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringMatching(message),
  })
  expect(await images.footprint()).toEqual(nothing)
  expect(images.events).toEqual([])
})

test('an archive of a web server is imported; credentials of its address are shown to the server alone', async () => {
  await using images = await openTestImages()
  let asked: string | undefined
  await using server = await serve((request, response) => {
    asked = request.headers.authorization
    response.writeHead(200, { 'content-length': files.length }).end(files)
  })
  const { lines, id } = await importFrom(images, `${server.origin.replace('//', '//me:secret@')}/root.tar`)
  const url = `${server.origin}/root.tar`
  expect([...new Set(lines)]).toEqual([`Downloading from ${url}`, 'Importing', id])
  expect(asked).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`)
  expect(images.service.get(id).config.history).toMatchObject([{ comment: `Imported from ${url}` }])
})

test('the query of an address, which may be a secret, is in no text and not in the image', async () => {
  await using images = await openTestImages()
  const asked: (string | undefined)[] = []
  await using server = await serve(({ url }, response) => {
    asked.push(url)
    if (url?.startsWith('/root.tar')) response.end(files)
    else response.writeHead(403).end()
  })
  const { lines, id } = await importFrom(images, `${server.origin}/root.tar?signature=secret#secret`)
  expect(asked).toEqual(['/root.tar?signature=secret'])
  expect(JSON.stringify([lines, images.service.get(id).config, images.events])).not.toContain('secret')
  await expect(importFrom(images, `${server.origin}/x?signature=secret`)).rejects.toMatchObject({
    message: `failed to GET ${server.origin}/x with status 403 Forbidden:`,
  })
})

test.each(['http://', 'http://me:%zz@127.0.0.1/x', 'http://%ff@127.0.0.1/x'])(
  'an address that is none (%s) is refused',
  async (address) => {
    await using images = await openTestImages()
    await expect(importFrom(images, address)).rejects.toMatchObject({
      kind: 'invalid',
      message: 'the address of the archive is no URL',
    })
  },
)

test('what a web server refuses is told before any progress, without credentials', async () => {
  await using images = await openTestImages()
  await using server = await serve((_, response) => response.writeHead(404).end('no such tar'))
  const address = `${server.origin.replace('//', '//me:secret@')}/x`
  await expect(importFrom(images, address)).rejects.toMatchObject({
    kind: 'not-found',
    message: `failed to GET ${server.origin}/x with status 404 Not Found: no such tar`,
  })
  await expect(importFrom(images, 'ftp://127.0.0.1/x')).rejects.toThrow('unsupported protocol scheme "ftp"')
  expect(await images.footprint()).toEqual(nothing)
})

test('an answer that is cut off is told in the progress, and nothing stays', async () => {
  await using images = await openTestImages()
  await using server = await serve((_, response) => {
    response.writeHead(200, { 'content-length': files.length })
    response.write(files.subarray(0, 700), () => response.destroy())
  })
  await expect(importFrom(images, `${server.origin}/x`)).rejects.toThrow()
  expect(await images.footprint()).toEqual(nothing)
})

test('an archive that is larger than the room there is is refused before it comes', async () => {
  await using images = await openTestImages({ disk: { budget: { bytes: 1000 } } })
  await using server = await serve((_, response) => {
    response.writeHead(200, { 'content-length': files.length }).end(files)
  })
  await expect(importFrom(images, `${server.origin}/x`)).rejects.toMatchObject({
    kind: 'no-space',
    message: expect.stringMatching(
      /^the archive needs at least [\d.]+kB, but images take 0B of their disk\.budget of 1kB/,
    ),
  })
  expect(await images.footprint()).toEqual(nothing)
})
