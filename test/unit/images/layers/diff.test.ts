import { mkdir, open, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '#base/digest.ts'
import { exportTree, listChanges, packLayer } from '#images/layers/diff.ts'
import { unpackLayer } from '#images/layers/unpack.ts'
import { openSnapshotter } from '#images/snapshots/open.ts'
import { openDatabase } from '#state/database.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { buildUnpackTool } from '#test/support/unpack-tool.ts'
import { waitFor } from '#test/support/wait-for.ts'

let executable: string

beforeAll(async () => {
  executable = await buildUnpackTool()
})

const base = tar([{ name: 'dir/' }, { name: 'dir/file', content: 'hello' }, { name: 'gone', content: '' }])

/** A container's snapshot on one layer, with the directory that its process would write to. */
async function aContainer(driver: 'overlay2' | 'vfs') {
  await using undo = new AsyncDisposableStack()
  const directory = undo.use(await tempDirectory('berth-diff-'))
  const database = undo.use(openDatabase(join(directory.path, 'state.db')))
  const root = join(directory.path, 'snapshots')
  const snapshots = undo.use(await openSnapshotter({ root, database, executable, driver, onError: () => undefined }))
  const ports = { executable, snapshots }
  const source = { stream: Readable.from([base]) }
  const { chainId } = await unpackLayer(ports, { source, diffId: digestOf(base), parentChainId: undefined })
  const mounts = await snapshots.prepare('container', chainId)
  const owned = undo.move()
  return {
    ports,
    chainId,
    path: directory.path,
    files: mounts.upper ?? mounts.path,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Packed to a file, as a commit does it. */
async function packed({ ports, path }: Awaited<ReturnType<typeof aContainer>>, snapshot: string) {
  const file = join(path, 'layer.tar')
  await using handle = await open(file, 'w')
  const layer = await packLayer(ports, { snapshot, fd: handle.fd, withoutMountPoints: false })
  return { ...layer, bytes: await readFile(file) }
}

describe.each(['overlay2', 'vfs'] as const)('with %s', (driver) => {
  test('what a container adds is a layer, which is packed to the same bytes when it is unpacked', async () => {
    await using container = await aContainer(driver)
    const { ports, files, chainId } = container
    if (driver === 'vfs') await rm(join(files, 'gone'))
    await mkdir(join(files, 'new'))
    await writeFile(join(files, 'new/file'), 'x')
    const changed = await listChanges(ports, 'container')
    expect(changed.filter(({ kind }) => kind === 'deleted')).toEqual(
      driver === 'vfs' ? [{ kind: 'deleted', path: '/gone' }] : [],
    )
    expect(changed.filter(({ kind }) => kind === 'added').map(({ path }) => path)).toEqual(['/new', '/new/file'])

    const layer = await packed(container, 'container')
    expect(layer).toMatchObject({ diffId: digestOf(layer.bytes), size: layer.bytes.length })
    const source = { stream: Readable.from([layer.bytes]) }
    const again = await unpackLayer(ports, { source, diffId: layer.diffId, parentChainId: chainId })
    expect((await packed(container, again.chainId)).diffId).toBe(layer.diffId)
  })

  test('an export has all files, the lower ones too', async () => {
    await using container = await aContainer(driver)
    await writeFile(join(container.files, 'more'), 'x')
    const archive = await buffer(exportTree(container.ports, 'container'))
    for (const name of ['dir/file', 'gone', 'more']) expect(archive.includes(`${name}\0`)).toBe(true)
  })
})

test('a layer that nobody has is not found', async () => {
  await using container = await aContainer('overlay2')
  await expect(listChanges(container.ports, 'nobody')).rejects.toMatchObject({ kind: 'not-found' })
})

test('an abort, and a reader that leaves, end the child', async () => {
  await using container = await aContainer('overlay2')
  await writeFile(join(container.files, 'large'), Buffer.alloc(64 << 20))
  await waitFor('the children of other tests are gone', async () => (await packers()) === 0)
  const socketsBefore = await sockets()
  const stop = new AbortController()
  const aborted = exportTree(container.ports, 'container', stop.signal)
  await aborted.next()
  expect(await packers()).toBe(1)
  stop.abort()
  await expect(buffer(aborted)).rejects.toMatchObject({ kind: 'cancelled' })

  const unread = new AbortController()
  await exportTree(container.ports, 'container', unread.signal).next()
  unread.abort()

  const left = exportTree(container.ports, 'container')
  await left.next()
  await left.return(undefined)
  await waitFor('no child is left', async () => (await packers()) === 0)
  await waitFor('no pipe is left', async () => (await sockets()) === socketsBefore)
  await expect(listChanges(container.ports, 'container', stop.signal)).rejects.toMatchObject({ kind: 'cancelled' })
})

test('an abort while the child is being started leaves none', async () => {
  await using container = await aContainer('overlay2')
  const stop = new AbortController()
  const archive = exportTree(container.ports, 'container', stop.signal)
  const first = archive.next().then(() => 'a chunk')
  stop.abort()
  await expect(first).rejects.toMatchObject({ kind: 'cancelled' })
  await waitFor('no packer is left', async () => (await packers()) === 0)
})

test('a child that cannot run is told', async () => {
  await using container = await aContainer('overlay2')
  const ports = { ...container.ports, executable: '/nonexistent' }
  await expect(listChanges(ports, 'container')).rejects.toMatchObject({ kind: 'unavailable' })
  await expect(exportTree(ports, 'container').next()).rejects.toMatchObject({ kind: 'unavailable' })
})

test('a full disk is told as one', async () => {
  await using container = await aContainer('overlay2')
  await using full = await open('/dev/full', 'w')
  expect((await stat('/dev/full')).isCharacterDevice()).toBe(true)
  const packing = packLayer(container.ports, { snapshot: 'container', fd: full.fd, withoutMountPoints: false })
  await expect(packing).rejects.toMatchObject({ kind: 'no-space' })
})

/** How many sockets this process has open: pipes of children are some. */
async function sockets(): Promise<number> {
  const fds = await readdir('/proc/self/fd')
  const targets = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')))
  return targets.filter((target) => target.startsWith('socket:')).length
}

/** How many children of this process pack. */
async function packers(): Promise<number> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    processes.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
      const [state, parent] = line.slice(line.lastIndexOf(')') + 2).split(' ')
      return line.includes('(berth-unpack)') && state !== 'Z' && Number(parent) === process.pid
    }),
  )
  return found.filter(Boolean).length
}
