/** Images that were made or loaded here, pushed by the docker CLI. */
import { randomBytes } from 'node:crypto'
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busyboxLayer } from '#test/support/base-image.ts'
import { startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'
import { waitFor } from '#test/support/wait-for.ts'

const host = '127.0.0.1:5000'

let daemon: TestDaemon
let registry: TestRegistry

beforeAll(async () => {
  daemon = await startDaemon({ withImage: false })
  registry = await startRegistry({ enter: daemon.enter, port: 5000 })
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
  await daemon[Symbol.asyncDispose]()
})

/** Writes an archive and imports it. */
async function importAs(name: string, archive: Uint8Array): Promise<void> {
  const path = join(daemon.directory, 'layer.tar')
  await writeFile(path, archive)
  const { code, stderr } = await daemon.docker('import', path, name)
  if (code !== 0) throw new Error(stderr)
}

test('an imported image is pushed, forgotten, pulled and run', async () => {
  const name = `${host}/imported`
  const before = await contentOf(daemon)
  await importAs(name, busyboxLayer())
  const id = (await daemon.json('GET', `/images/${name}/json`)).Id
  const pushed = await daemon.docker('push', name)
  expect(pushed).toMatchObject({ code: 0, stderr: '' })
  expect(pushed.stdout).toMatch(/^[0-9a-f]{12}: Pushed$/m)
  const again = await daemon.docker('push', name)
  expect(again.stdout).toMatch(/^[0-9a-f]{12}: Layer already exists$/m)
  expect(again.stdout.split('\n').at(-2)).toBe(pushed.stdout.split('\n').at(-2))

  // Nothing is left of it when it goes: the blob that was compressed belongs to it.
  expect((await daemon.docker('rmi', name)).code).toBe(0)
  expect(await contentOf(daemon)).toEqual(before)
  expect((await daemon.docker('pull', '-q', name)).code).toBe(0)
  expect((await daemon.json('GET', `/images/${name}/json`)).Id).toBe(id)
  const run = await daemon.docker('run', '--rm', '--network', 'none', name, 'echo', 'back')
  expect(run.stdout).toBe('back\n')
})

test('a committed container is pushed: what it stands on is taken over, its own layer sent', async () => {
  const [base, name] = [`${host}/base`, `${host}/committed`]
  await importAs(base, busyboxLayer())
  expect((await daemon.docker('push', '-q', base)).code).toBe(0)
  await daemon.docker('run', '--name', 'made', '--network', 'none', base, 'sh', '-c', 'echo kept > /note')
  expect((await daemon.docker('commit', 'made', name)).code).toBe(0)
  const pushed = await daemon.docker('push', name)
  expect(pushed).toMatchObject({ code: 0, stderr: '' })
  expect(pushed.stdout).toMatch(/^[0-9a-f]{12}: Mounted from base$/m)
  expect(pushed.stdout).toMatch(/^[0-9a-f]{12}: Pushed$/m)
  await daemon.docker('rm', 'made')
  expect((await daemon.docker('rmi', name, base)).code).toBe(0)
  const run = await daemon.docker('run', '--rm', '--network', 'none', name, 'cat', '/note')
  expect(run.stdout).toBe('kept\n')
})

test('a daemon that is killed while it compresses leaves nothing, and pushes when it is back', async () => {
  const name = `${host}/killed`
  await importAs(name, tar([{ name: 'big', content: randomBytes(100_000_000) }]))
  const before = await contentOf(daemon)
  const pushing = daemon.docker('push', name)
  await waitFor('layers are compressed', async () => (await compressors(daemon)).length > 0)
  await daemon.kill9()
  await pushing
  await waitFor('the compressors are gone', async () => (await compressors(daemon)).length === 0)
  await daemon.start()
  expect(await contentOf(daemon)).toEqual(before)
  expect((await daemon.docker('push', '-q', name)).code).toBe(0)
})

test('a client that goes away ends its push', async () => {
  const name = `${host}/left`
  await importAs(name, tar([{ name: 'big', content: randomBytes(100_000_000) }]))
  const before = await contentOf(daemon)
  const leave = new AbortController()
  const response = await daemon.open('POST', `/images/${name}/push?tag=latest`, undefined, { signal: leave.signal })
  response.on('error', () => undefined).resume()
  await waitFor('layers are compressed', async () => (await compressors(daemon)).length > 0)
  leave.abort()
  await waitFor('the compressors are gone', async () => (await compressors(daemon)).length === 0)
  await waitFor('the content is as before', async () => {
    return JSON.stringify(await contentOf(daemon)) === JSON.stringify(before)
  })
})

/** Processes of berth-unpack in the daemon's network namespace that compress. */
async function compressors(of: TestDaemon): Promise<string[]> {
  const namespace = await readlink(`/proc/${of.namespaceOwner}/ns/net`)
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((one) => /^\d+$/.test(one))) {
    const arguments_ = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (!arguments_.includes('berth-unpack\0--gzip')) continue
    if ((await readlink(`/proc/${pid}/ns/net`).catch(() => '')) === namespace) found.push(pid)
  }
  return found
}

async function contentOf({ dataRoot }: TestDaemon): Promise<Record<'blobs' | 'ingests', string[]>> {
  const [blobs = [], ingests = []] = await Promise.all(
    ['content/blobs/sha256', 'content/ingest'].map((path) => readdir(join(dataRoot, path))),
  )
  return { blobs: blobs.toSorted(), ingests }
}
