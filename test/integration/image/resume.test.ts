/** A download that was cut off by anything is taken up where it was. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { encodedOf } from '#base/digest.ts'
import { buildImage } from '#test/support/base-image.ts'
import { type Fault, type FaultProxy, type ProxiedRequest, startFaultProxy } from '#test/support/fault-proxy.ts'
import { openTestImages } from '#test/support/images.ts'
import { startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { waitFor } from '#test/support/wait-for.ts'

const cutAfter = 3_000_000
const image = buildImage({ layers: [tar([{ name: 'big', content: randomBytes(5_000_000) }])] })
const digest = image.layers[0]?.digest ?? image.id

let registry: TestRegistry
let proxy: FaultProxy
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
  root = opened.use(await tempDirectory('berth-resume-')).path
  name = `${proxy.host}/app`
  return () => opened.disposeAsync()
})

const isLayer = ({ path, method }: ProxiedRequest) => method === 'GET' && path.endsWith(`/blobs/${digest}`)
const ranges = () => proxy.requests.filter(isLayer).map(({ headers }) => headers.range)
const partial = () => join(root, 'content/ingest', encodedOf(digest))

/** The first part of the layer comes, and then nothing but errors. */
const breaks = (request: ProxiedRequest): Fault | undefined => {
  if (!isLayer(request)) return undefined
  return request.before === 0 ? { forward: true, cutAfter } : { status: 500 }
}
const stalls = (request: ProxiedRequest): Fault | undefined =>
  isLayer(request) && request.before === 0 ? { forward: true, cutAfter, stall: true } : undefined
const serves = () => undefined

async function failOnce(): Promise<void> {
  await using images = await openTestImages({ root })
  faultOf = breaks
  await expect(images.pull(name)).rejects.toThrow()
  expect(await images.footprint()).toEqual({ blobs: 0, ingests: 1, snapshots: 0, directories: 0 })
  faultOf = serves
}

async function pullsWhole(): Promise<void> {
  await using images = await openTestImages({ root })
  await images.pull(name)
  expect(images.service.get(name).id).toBe(image.id)
  expect((await images.footprint()).ingests).toBe(0)
}

test('after a pull that failed, the next one asks for the rest, also in another life of the daemon', async () => {
  await failOnce()
  await pullsWhole()
  expect(ranges().at(0)).toBeUndefined()
  expect(ranges().at(-1)).toBe(`bytes=${cutAfter}-`)
})

test('after a pull that was cancelled, the next one asks for the rest', async () => {
  faultOf = stalls
  await using images = await openTestImages({ root })
  const leave = new AbortController()
  const pulled = images.pull(name, { signal: leave.signal })
  await waitFor('most of the layer is there', async () => (await sizeOf(partial())) >= 2 << 20)
  leave.abort()
  await expect(pulled).rejects.toMatchObject({ kind: 'cancelled' })
  await images.pull(name)
  expect(ranges()).toEqual([undefined, `bytes=${cutAfter}-`])
  expect((await images.footprint()).ingests).toBe(0)
})

test('after SIGKILL, the next start takes up what the disk has', async () => {
  faultOf = stalls
  const program = `
    import { openTestImages } from '#test/support/images.ts'
    const images = await openTestImages({ root: ${JSON.stringify(root)} })
    await images.pull(${JSON.stringify(name)})`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' })
  await waitFor('most of the layer is there', async () => (await sizeOf(partial())) >= 2 << 20)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const left = await sizeOf(partial())
  await pullsWhole()
  expect(ranges()).toEqual([undefined, `bytes=${left}-`])
})

test('what was left and is damaged is fetched again', async () => {
  await failOnce()
  await writeFile(partial(), randomBytes(cutAfter))
  await pullsWhole()
  expect(ranges().slice(-2)).toEqual([`bytes=${cutAfter}-`, undefined])
})

test('what is longer than the blob is fetched again', async () => {
  await failOnce()
  await writeFile(partial(), randomBytes(6_000_000))
  await pullsWhole()
  expect(ranges().at(-1)).toBeUndefined()
})

test('what nobody has taken up for a day is gone at the next start', async () => {
  await failOnce()
  const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000)
  await utimes(partial(), yesterday, yesterday)
  await using images = await openTestImages({ root })
  expect((await images.footprint()).ingests).toBe(0)
})

test('a whole layer that was not yet a blob is not asked for again', async () => {
  await failOnce()
  await writeFile(partial(), image.layers[0]?.bytes ?? '')
  const before = ranges().length
  await pullsWhole()
  expect(ranges().length).toBe(before)
  expect(await readdir(join(root, 'content/blobs/sha256'))).toContain(encodedOf(digest))
})

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  return found?.size ?? 0
}
