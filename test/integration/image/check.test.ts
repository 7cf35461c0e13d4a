import { existsSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Digest, encodedOf } from '#base/digest.ts'
import { buildImage, busyboxLayer } from '../../support/base-image.ts'
import { startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { seedRegistry, startRegistry, type TestRegistry } from '../../support/registry.ts'
import { tar } from '../../support/tar.ts'

const mainProgram = join(import.meta.dirname, '../../../src/main.ts')
const host = '127.0.0.1:5000'
const image = buildImage({ layers: [busyboxLayer(), tar([{ name: 'etc/motd', content: 'hello' }])] })
const [lower, upper] = image.layers
if (!lower || !upper) throw new Error('two layers')

let daemon: TestDaemon
let registry: TestRegistry

beforeAll(async () => {
  daemon = await startDaemon({ withImage: false })
  const storage = join(daemon.directory, 'storage')
  await seedRegistry(storage, { 'app:latest': image })
  registry = await startRegistry({ storage, enter: daemon.enter, port: 5000 })
  await daemon.docker('pull', '-q', `${host}/app`)
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
  await daemon[Symbol.asyncDispose]()
})

const check = (...flags: readonly string[]) => daemon.run([process.execPath, mainProgram, 'system', 'check', ...flags])
const blob = (digest: Digest) => join(daemon.dataRoot, 'content/blobs/sha256', encodedOf(digest))

/** Where a file of a layer is, in whichever snapshot has it. */
async function inLayer(path: string): Promise<string> {
  const snapshots = join(daemon.dataRoot, 'snapshots')
  for (const id of await readdir(snapshots)) {
    const file = join(snapshots, id, 'fs', path)
    if (existsSync(file)) return file
  }
  throw new Error(`no layer has ${path}`)
}

/** All layers become durable and are recorded soon after a pull. */
async function untilRecorded(): Promise<void> {
  const { stdout } = await check('--format', 'json')
  if (/"Unrecorded":0/.test(stdout)) return
  await untilRecorded()
}

test('what was pulled is found well', async () => {
  await untilRecorded()
  const { code, stdout } = await check()
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^Checked \d+ blobs and \d+ layers: all is well\.\n$/)])
})

test('damaged files of a layer are named with who uses it, and unpacked again below a running container', async () => {
  const running = await daemon.runDetached('--network', 'none', `${host}/app`, 'sleep', '1000')
  const motd = await inLayer('etc/motd')
  await writeFile(motd, 'HELLO')
  await writeFile(join(motd, '../zzz'), '')
  const found = await check()
  expect(found.code).toBe(1)
  expect(found.stdout).toContain('is damaged (content etc/motd, extra etc/zzz), used by image')
  expect(found.stdout).toContain(`image ${host}/app:latest, container ${running.slice(0, 12)}\n`)
  expect(found.stdout).toContain('1 problem, repair with `system check --repair`.\n')

  const mended = await check('--repair')
  expect([mended.code, mended.stdout]).toEqual([0, expect.stringContaining(': unpacked again\n')])
  expect((await daemon.docker('exec', running, 'cat', '/etc/motd')).stdout).toBe('HELLO')
  expect((await daemon.docker('run', '--rm', '--network', 'none', `${host}/app`, 'cat', '/etc/motd')).stdout).toBe(
    'hello',
  )
  await daemon.docker('rm', '-f', running)
  await untilRecorded()
  expect((await check()).code).toBe(0)
})

test('a layer whose files are gone is unpacked again, from a blob that is fetched again', async () => {
  await rm(join(await inLayer('etc/motd'), '../..'), { recursive: true })
  await writeFile(blob(upper.digest), 'nothing like it')
  const { stdout, code } = await check('--repair')
  expect([code, stdout]).toEqual([0, expect.stringContaining('2 problems, 2 repaired.\n')])
  expect(stdout).toMatch(/^blob sha256:\w+ is damaged \(its content has the digest .*: fetched again$/m)
  expect(stdout).toMatch(/^layer sha256:\w+ is missing, used by .*: unpacked again$/m)
  expect((await daemon.docker('run', '--rm', '--network', 'none', `${host}/app`, 'cat', '/etc/motd')).stdout).toBe(
    'hello',
  )
})

test('manifests come from the registry, configs from the database, empty blobs are damage, and what nobody needs goes', async () => {
  await writeFile(blob(image.id), '')
  await rm(blob(image.root.digest))
  await writeFile(join(daemon.dataRoot, 'content/blobs/sha256', 'e'.repeat(64)), 'nobody refers to it')
  expect((await check()).code).toBe(1)
  const { stdout, code } = await check('--repair')
  expect(stdout).toMatch(new RegExp(`^blob ${image.id} is damaged .*: written again$`, 'm'))
  expect(stdout).toMatch(new RegExp(`^blob ${image.root.digest} is missing, .*: fetched again$`, 'm'))
  expect(stdout).toMatch(/^blob sha256:e+ is unneeded: removed$/m)
  expect(code).toBe(0)
  expect((await check()).stdout).toContain('all is well')
})

test('what a registry gives only to people who are logged in is told as such', async () => {
  const guarded = '127.0.0.1:5001'
  const storage = join(daemon.directory, 'guarded')
  const secret = buildImage({ layers: [tar([{ name: 'etc/secret', content: 'hello' }])] })
  await seedRegistry(storage, { 'app:latest': secret })
  await using _ = await startRegistry({ storage, enter: daemon.enter, port: 5001, basicAuth: true })
  const auth = Buffer.from(JSON.stringify({ username: 'user', password: 'secret', serveraddress: guarded }))
  const pulled = await daemon.request('POST', `/images/create?fromImage=${guarded}/app&tag=latest`, undefined, {
    'x-registry-auth': auth.toString('base64url'),
  })
  expect(pulled.body).toContain('Downloaded newer image')
  await writeFile(blob(secret.layers[0]?.digest as Digest), 'nothing like it')
  const { stdout } = await check('--repair')
  expect(stdout).toContain(`${guarded}/app asks for a login, which a repair does not have`)
  expect(stdout).toContain(`pull ${guarded}/app again`)
  expect((await daemon.docker('rmi', `${guarded}/app`)).code).toBe(0)
})

test('what no registry gives back goes to the quarantine, with words; a running container stays', async () => {
  await registry[Symbol.asyncDispose]()
  const running = await daemon.runDetached('--network', 'none', `${host}/app`, 'sleep', '1000')
  await writeFile(blob(lower.digest), 'nothing like it')
  const layer = await check('--repair')
  expect(layer.code).toBe(0)
  expect(layer.stdout).toContain('moved to the quarantine; the layer stays usable')
  expect((await daemon.docker('run', '--rm', '--network', 'none', `${host}/app`, 'true')).code).toBe(0)

  await writeFile(await inLayer('bin/busybox'), 'broken')
  const lost = await check('--repair')
  expect(lost.stdout).toContain('no longer listed, moved to the quarantine: pull it again')
  expect((await daemon.docker('images', '-q', `${host}/app`)).stdout).toBe('')
  const quarantine = join(daemon.dataRoot, 'quarantine')
  expect(await readdir(quarantine)).toEqual(
    expect.arrayContaining([`${encodedOf(image.id)}.json`, encodedOf(lower.digest)]),
  )
  expect((await daemon.docker('inspect', '-f', '{{.State.Running}}', running)).stdout).toBe('true\n')
  await daemon.docker('rm', '-f', running)
})
