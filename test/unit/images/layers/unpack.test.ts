import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, open, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Digest, digestOf } from '#base/digest.ts'
import { chainIdOf, chainIdsOf } from '#images/layers/chain-id.ts'
import { type LayerSource, unpackIntoActive, unpackLayer } from '#images/layers/unpack.ts'
import { openSnapshotter } from '#images/snapshots/open.ts'
import { openDatabase } from '#state/database.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { buildUnpackTool } from '#test/support/unpack-tool.ts'
import { waitFor } from '#test/support/wait-for.ts'

let executable: string
let own: Awaited<ReturnType<typeof tempDirectory>>

beforeAll(async () => {
  // A copy of our own: other tests run the tool at the same time, and we ask which processes run ours.
  own = await tempDirectory('berth-layers-')
  executable = join(own.path, 'berth-unpack')
  await copyFile(await buildUnpackTool(), executable)
})

afterAll(() => own[Symbol.asyncDispose]())

async function aStore() {
  await using undo = new AsyncDisposableStack()
  const directory = undo.use(await tempDirectory('berth-layers-'))
  const database = undo.use(openDatabase(join(directory.path, 'state.db')))
  const root = join(directory.path, 'snapshots')
  const snapshots = undo.use(await openSnapshotter({ root, database, executable, onError: () => undefined }))
  const owned = undo.move()
  return {
    path: directory.path,
    ports: { executable, snapshots },
    snapshots,
    /** Nothing of a failed unpacking is there: no row, no directory, no process. */
    async isEmpty() {
      expect(snapshots.list()).toEqual([])
      expect(await readdir(root)).toEqual([])
      expect(await childrenWith(executable)).toEqual([])
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const archive = tar([
  { name: 'dir/', mode: 0o755 },
  { name: 'dir/file', content: 'hello' },
])
const diffId = digestOf(archive)
const layer = gzipSync(archive)
const base = { diffId, parentChainId: undefined }

test('layers from a file, a descriptor and a stream become committed snapshots, each on the one before', async () => {
  await using store = await aStore()
  const path = join(store.path, 'blob')
  await writeFile(path, layer)
  await using file = await open(path, 'r')
  const sources: LayerSource[] = [
    { path },
    { fd: file.fd },
    { stream: Readable.from([layer.subarray(0, 20), layer.subarray(20)]) },
  ]
  let parentChainId: Digest | undefined
  for (const source of sources) {
    const result = await unpackLayer(store.ports, { source, diffId, parentChainId })
    expect(result).toMatchObject({
      chainId: chainIdOf(parentChainId, diffId),
      diffId,
      size: archive.length,
      entries: 2,
    })
    parentChainId = result.chainId
  }
  const mounts = await store.snapshots.prepare('container', parentChainId)
  expect(mounts.lower).toHaveLength(3)
  expect(await readFile(join(mounts.lower[0] ?? '', 'dir/file'), 'utf8')).toBe('hello')
})

test('an unpacked layer can be compared with its record at once, as can one that was given its files anew', async () => {
  await using store = await aStore()
  const { snapshots } = store
  const { chainId } = await unpackLayer(store.ports, { source: { stream: Readable.from([layer]) }, ...base })
  expect(await snapshots.verify(chainId)).toEqual({ state: 'intact', entries: 3 })
  const [files] = snapshots.directories(chainId)
  await writeFile(join(files ?? '', 'dir/file'), 'HELLO')
  const damaged = { state: 'damaged', differences: ['content dir/file'], count: 1 }
  expect(await snapshots.verify(chainId)).toEqual(damaged)
  const anew = await unpackIntoActive(store.ports, { source: { stream: Readable.from([layer]) }, ...base })
  await snapshots.replace(chainId, anew.key)
  expect(await snapshots.verify(chainId)).toEqual({ state: 'intact', entries: 3 })
})

test('the identity of a chain is that of the image specification', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((text) => digestOf(text))
  if (!a || !b || !c) throw new Error('no digests')
  const ab = `sha256:${createHash('sha256').update(`${a} ${b}`).digest('hex')}`
  const abc = `sha256:${createHash('sha256').update(`${ab} ${c}`).digest('hex')}`
  expect(chainIdsOf([a, b, c])).toEqual([a, ab, abc])
})

test('a layer with other bytes than its diffId says is data loss and leaves nothing', async () => {
  await using store = await aStore()
  const source = { stream: Readable.from([layer]) }
  const request = { source, diffId: digestOf('other'), parentChainId: undefined }
  await expect(unpackLayer(store.ports, request)).rejects.toMatchObject({ kind: 'data-loss', code: 'layer-diff-id' })
  await store.isEmpty()
})

test('a hostile layer is invalid, names its entry and leaves nothing', async () => {
  await using store = await aStore()
  const bytes = tar([
    { name: 'a', content: 'x' },
    { name: '../../etc/passwd', content: 'x' },
  ])
  const request = { source: { stream: Readable.from([bytes]) }, diffId: digestOf(bytes), parentChainId: undefined }
  await expect(unpackLayer(store.ports, request)).rejects.toMatchObject({
    ...{ kind: 'invalid', code: 'layer-invalid', message: "'../../etc/passwd' points outside of the layer with '..'" },
  })
  await store.isEmpty()
})

test('a missing parent, and a layer that is there already, are told before anything is read', async () => {
  await using store = await aStore()
  const source = { path: '/nonexistent' }
  await expect(unpackLayer(store.ports, { source, diffId, parentChainId: digestOf('nobody') })).rejects.toMatchObject({
    kind: 'not-found',
  })
  await store.isEmpty()
  await unpackLayer(store.ports, { source: { stream: Readable.from([layer]) }, ...base })
  await expect(unpackLayer(store.ports, { source, ...base })).rejects.toMatchObject({ kind: 'already-exists' })
})

test('a directory that the layer leaves out looks like that of the layers below', async () => {
  await using store = await aStore()
  const unpack = (bytes: Buffer, parentChainId: Digest | undefined) =>
    unpackLayer(store.ports, { source: { stream: Readable.from([bytes]) }, diffId: digestOf(bytes), parentChainId })
  const low = tar([
    { name: 'tmp/', mode: 0o1777, uid: 3, gid: 4, mtime: 1_500_000_000 },
    { name: 'file', content: '' },
  ])
  const { chainId: first } = await unpack(low, undefined)
  const { chainId: second } = await unpack(tar([{ name: 'other/', mode: 0o700 }]), first)
  const { chainId: third } = await unpack(
    tar([
      { name: 'tmp/a/b', content: 'x' },
      { name: 'file/x', content: '' },
    ]),
    second,
  )
  const [top = ''] = (await store.snapshots.prepare('container', third)).lower
  expect(await stat(join(top, 'tmp'))).toMatchObject({ mode: 0o41777, uid: 3, gid: 4, mtimeMs: 1_500_000_000_000 })
  expect(await stat(join(top, 'tmp/a'))).toMatchObject({ mode: 0o40755, uid: 0, gid: 0 })
  expect(await stat(join(top, 'file'))).toMatchObject({ mode: 0o40755 })
})

test('two who unpack one layer at once both succeed, and one copy is kept', async () => {
  await using store = await aStore()
  const unpack = () => unpackLayer(store.ports, { source: { stream: Readable.from([layer]) }, ...base })
  const results = await Promise.all([unpack(), unpack(), unpack()])
  expect(new Set(results.map(({ chainId }) => chainId))).toEqual(new Set([diffId]))
  expect(await readdir(join(store.path, 'snapshots'))).toHaveLength(1)
})

test('unpacking begins while the layer is still arriving', async () => {
  await using store = await aStore()
  const big = tar([
    { name: 'first', content: 'x' },
    { name: 'second', content: Buffer.alloc(3 << 20, 1) },
  ])
  const stream = new PassThrough()
  stream.write(big.subarray(0, 2 << 20))
  const done = unpackLayer(store.ports, { source: { stream }, diffId: digestOf(big), parentChainId: undefined })
  await waitFor('the first file', async () => {
    const [snapshot] = await readdir(join(store.path, 'snapshots'))
    return snapshot !== undefined && existsSync(join(store.path, 'snapshots', snapshot, 'fs', 'first'))
  })
  stream.end(big.subarray(2 << 20))
  expect(await done).toMatchObject({ entries: 2 })
})

test('an abort in the middle of a stalled stream ends the child and leaves nothing', async () => {
  await using store = await aStore()
  const stream = new PassThrough()
  stream.write(layer.subarray(0, 30))
  const abort = new AbortController()
  const done = unpackLayer(store.ports, { source: { stream }, ...base }, abort.signal)
  await waitFor('the child', async () => (await childrenWith(executable)).length > 0)
  abort.abort()
  await expect(done).rejects.toMatchObject({ kind: 'cancelled' })
  expect(stream.destroyed).toBe(true)
  await store.isEmpty()
})

test('the error of a stream is the error of the unpacking', async () => {
  await using store = await aStore()
  const stream = new PassThrough()
  stream.write(layer.subarray(0, 30))
  const done = unpackLayer(store.ports, { source: { stream }, ...base })
  await waitFor('the child', async () => (await childrenWith(executable)).length > 0)
  stream.destroy(new Error('connection reset by the registry'))
  await expect(done).rejects.toThrow('connection reset by the registry')
  await store.isEmpty()
})

test('a fault at the beginning ends an endless stream', async () => {
  await using store = await aStore()
  const stream = Readable.from(
    (function* () {
      for (;;) yield Buffer.alloc(65_536, 'not a tar archive ')
    })(),
  )
  await expect(unpackLayer(store.ports, { source: { stream }, ...base })).rejects.toMatchObject({ kind: 'invalid' })
  expect(stream.destroyed).toBe(true)
  await store.isEmpty()
})

test('a missing tool is told as such', async () => {
  await using store = await aStore()
  const ports = { ...store.ports, executable: '/nonexistent/berth-unpack' }
  const source = { stream: Readable.from([layer]) }
  await expect(unpackLayer(ports, { source, ...base })).rejects.toMatchObject({
    ...{ kind: 'unavailable', message: expect.stringContaining('/nonexistent/berth-unpack') },
  })
  await store.isEmpty()
})

/** Pids of processes with that program, zombies not counted. */
async function childrenWith(program: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const programs = pids.map(async (pid) => ({ pid, link: await readlink(`/proc/${pid}/exe`).catch(() => undefined) }))
  return (await Promise.all(programs)).filter(({ link }) => link === program).map(({ pid }) => pid)
}
