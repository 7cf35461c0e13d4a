/** Layers are unpacked while they arrive; what turns out wrong with one leaves nothing. */
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { digestOf } from '#base/digest.ts'
import { buildImage } from '#test/support/base-image.ts'
import { type Fault, type FaultProxy, type ProxiedRequest, startFaultProxy } from '#test/support/fault-proxy.ts'
import { openTestImages, type TestImages } from '#test/support/images.ts'
import { startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { waitFor } from '#test/support/wait-for.ts'

const files = Array.from({ length: 10 }, (_, index) => ({
  name: `file${index}`,
  content: randomBytes(400_000).toString('hex'),
}))
const base = tar([{ name: 'base', content: 'below' }])
const image = buildImage({ layers: [base, tar(files)] })
const layer = image.layers[1] ?? image.root
const nothing = { blobs: 0, ingests: 0, snapshots: 0, directories: 0 }

let registry: TestRegistry
let proxy: FaultProxy
let images: TestImages
let root: string
let name: string
let faultOf: (request: ProxiedRequest) => Fault | undefined

beforeAll(async () => {
  registry = await startRegistry()
  await registry.push('app:latest', image)
})
afterAll(() => registry[Symbol.asyncDispose]())

beforeEach(async () => {
  const opened = new AsyncDisposableStack()
  proxy = opened.use(await startFaultProxy(registry.host, (request) => faultOf(request)))
  root = opened.use(await tempDirectory('berth-arriving-')).path
  images = opened.use(await openTestImages({ root }))
  name = `${proxy.host}/app`
  return () => opened.disposeAsync()
})

const isLayer = ({ path }: ProxiedRequest) => path.endsWith(`/blobs/${layer.digest}`)

/** Names of the files that are unpacked so far, of whatever layer. */
async function unpacked(): Promise<string[]> {
  const paths = await readdir(join(root, 'snapshots'), { recursive: true })
  return paths.filter((path) => path.includes('/fs/')).map((path) => path.replace(/^.*\//, ''))
}

test('files of a layer are there while the rest of it has not come', async () => {
  faultOf = (request) =>
    isLayer(request) && request.before === 0
      ? { forward: true, cutAfter: layer.size - 100_000, stall: true }
      : undefined
  const statuses: string[] = []
  const pulled = images.pull(name, {
    onProgress: ({ id, status }) => {
      if (id !== undefined && layer.digest.includes(id) && statuses.at(-1) !== status) statuses.push(status)
    },
  })
  await waitFor('the first files', async () => (await unpacked()).includes('file1'))
  expect(statuses.at(-1)).toBe('Downloading')
  expect(proxy.requests.filter(isLayer)).toHaveLength(1)
  await pulled
  expect(statuses).toEqual([
    ...['Pulling fs layer', 'Downloading', 'Retrying in 1 second', 'Downloading', 'Verifying Checksum'],
    ...['Download complete', 'Extracting', 'Pull complete'],
  ])
  expect(await images.readFile(name, 'file9')).toBe(files[9]?.content)
})

test('a layer whose last bytes are not those of its digest leaves nothing', async () => {
  const wrong = Buffer.from(layer.bytes)
  wrong[wrong.length - 3] = (wrong.at(-3) ?? 0) ^ 1
  faultOf = (request) => (isLayer(request) ? { body: wrong } : undefined)
  await expect(images.pull(name)).rejects.toMatchObject({ kind: 'data-loss', code: 'blob-digest' })
  expect(await images.footprint()).toEqual(nothing)
})

test('a blob that is not its layer’s archive leaves nothing, although all of its files were made', async () => {
  const lying = buildImage({ layers: [base, tar(files)], diffIds: [digestOf(base), digestOf('other')] })
  await registry.push('lying:latest', lying)
  faultOf = () => undefined
  await expect(images.pull(`${proxy.host}/lying`)).rejects.toMatchObject({ kind: 'data-loss', code: 'layer-diff-id' })
  expect(await images.footprint()).toEqual(nothing)
})

test('a registry that begins again in the middle does not confuse what was unpacked', async () => {
  faultOf = (request) => {
    if (!isLayer(request)) return undefined
    return request.before === 0 ? { forward: true, cutAfter: 3_000_000 } : { body: layer.bytes }
  }
  await images.pull(name)
  expect(images.service.get(name).id).toBe(image.id)
  expect(await images.footprint()).toEqual({ blobs: 4, ingests: 0, snapshots: 2, directories: 2 })
})

test('a pull that is cancelled while it unpacks what arrives leaves only the download', async () => {
  faultOf = (request) => (isLayer(request) ? { forward: true, cutAfter: 4_000_000, stall: true } : undefined)
  const leave = new AbortController()
  const pulled = images.pull(name, { signal: leave.signal })
  await waitFor('the first files', async () => (await unpacked()).includes('file1'))
  leave.abort()
  await expect(pulled).rejects.toMatchObject({ kind: 'cancelled' })
  expect(await images.footprint()).toEqual({ ...nothing, ingests: 1 })
  const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
  for (const pid of children.split(' ').filter(Boolean)) {
    expect(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).not.toContain('berth-unpack')
  }
})
