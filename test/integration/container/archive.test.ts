import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { tempDirectory } from '../../support/temp.ts'

let daemon: TestDaemon
let host: Awaited<ReturnType<typeof tempDirectory>>
beforeAll(async () => {
  daemon = await startDaemon()
  host = await tempDirectory()
  mkdirSync(join(host.path, 'volume/sub'), { recursive: true })
  mkdirSync(join(host.path, 'readonly'))
  writeFileSync(join(host.path, 'volume/sub/file'), 'of the host\n')
})
afterAll(async () => {
  await daemon[Symbol.asyncDispose]()
  await host[Symbol.asyncDispose]()
})

const content = 'mkdir -p /d/e; echo x > /d/f; ln -s f /d/l; ln -s /d /ld; ln -s nope /broken; ln -s ../../etc /d/up'

async function make(name: string, ...flags: string[]): Promise<string> {
  const mounts = ['-v', `${host.path}/volume:/vol`, '-v', `${host.path}/readonly:/rovol:ro`]
  const script = `${content}; echo ready; exec sleep 1000`
  const id = await daemon.runDetached(
    '--network',
    'none',
    '--name',
    name,
    ...mounts,
    ...flags,
    busybox,
    'sh',
    '-c',
    script,
  )
  for (let seen = ''; seen !== 'ready\n'; ) seen = (await daemon.docker('logs', name)).stdout
  return id
}

interface Sent {
  readonly status: number
  readonly message: string | undefined
}

/** A PUT of these bytes. */
async function put(name: string, query: string, archive: Uint8Array): Promise<Sent> {
  const { promise, resolve, reject } = Promise.withResolvers<Sent>()
  const path = `/containers/${name}/archive?${query}`
  const sent = request({ socketPath: daemon.socket, method: 'PUT', path, agent: false }, async (response) => {
    const body = Buffer.concat(await response.toArray()).toString()
    resolve({
      status: response.statusCode ?? 0,
      message: body === '' ? undefined : (JSON.parse(body) as { message: string }).message,
    })
  })
  sent.on('error', reject)
  sent.end(archive)
  return await promise
}

/** Bytes of a GET. */
async function get(name: string, path: string, headers: Record<string, string> = {}) {
  const response = await daemon.open('GET', `/containers/${name}/archive?path=${path}`, undefined, { headers })
  const body = Buffer.concat(await response.toArray())
  return { status: response.statusCode, headers: response.headers, body }
}

const list = (archive: Uint8Array): string[] =>
  execFileSync('tar', ['tPf', '-'], { input: archive, encoding: 'utf8' }).trim().split('\n')

function tarOf(files: Readonly<Record<string, string>>, ...flags: string[]): Buffer {
  const directory = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim()
  for (const [path, text] of Object.entries(files)) {
    if (path.endsWith('/')) mkdirSync(join(directory, path), { recursive: true })
    else writeFileSync(join(directory, path), text)
  }
  const names = Object.keys(files).map((path) => path.split('/')[0] ?? '')
  const archive = execFileSync('tar', ['cf', '-', '-C', directory, ...flags, ...new Set(names)])
  execFileSync('rm', ['-rf', directory])
  return archive
}

async function statOf(name: string, path: string): Promise<Record<string, unknown> | number> {
  const { status, headers } = await daemon.request('HEAD', `/containers/${name}/archive?path=${path}`)
  const stat = headers['x-docker-container-path-stat']
  if (typeof stat !== 'string') return status
  const { mtime, size, ...rest } = JSON.parse(Buffer.from(stat, 'base64').toString()) as Record<string, unknown>
  return rest
}

const directory = 2147484141
const symlink = 134218239

describe.each(['running', 'stopped', 'paused'])('of a %s container', (state) => {
  const name = `in-state-${state}`
  beforeAll(async () => {
    await make(name)
    if (state === 'stopped') await daemon.request('POST', `/containers/${name}/stop?t=0`)
    if (state === 'paused') await daemon.request('POST', `/containers/${name}/pause`)
    return () => daemon.request('DELETE', `/containers/${name}?force=1`)
  })

  test.each([
    ['/d', { name: 'd', mode: directory, linkTarget: '' }],
    ['/d/.', { name: '.', mode: directory, linkTarget: '' }],
    ['d', { name: 'd', mode: directory, linkTarget: '' }],
    ['/ld', { name: 'ld', mode: symlink, linkTarget: '/d' }],
    ['/ld/', { name: 'ld', mode: directory, linkTarget: '' }],
    ['/d/l', { name: 'l', mode: symlink, linkTarget: '/d/f' }],
    ['/d/up', { name: 'up', mode: symlink, linkTarget: '/etc' }],
    ['/broken', { name: 'broken', mode: symlink, linkTarget: '/nope' }],
    ['/ld/../d/f', { name: 'f', mode: 0o644, linkTarget: '' }],
    ['/', { name: '/', mode: directory, linkTarget: '' }],
    ['.', { name: '.', mode: directory, linkTarget: '' }],
    ['/vol/sub/file', { name: 'file', mode: 0o644, linkTarget: '' }],
    ['/nope', 404],
    ['/d/f/', 500],
    ['/proc/self', 404],
    ['', 400],
  ])('%s is described as by dockerd', async (path, expected) => {
    expect(await statOf(name, path)).toEqual(expected)
  })

  test('paths are archived under the names that dockerd gives them, volumes included', async () => {
    expect(list((await get(name, '/d')).body)).toEqual(['d/', 'd/e/', 'd/f', 'd/l', 'd/up'])
    expect(list((await get(name, '/ld/.')).body)).toEqual(['./', './e/', './f', './l', './up'])
    expect(list((await get(name, '/ld')).body)).toEqual(['ld'])
    expect(list((await get(name, '/d/f')).body)).toEqual(['f'])
    expect(list((await get(name, '/vol')).body)).toEqual(expect.arrayContaining(['vol/', 'vol/sub/', 'vol/sub/file']))
    const all = list((await get(name, '/')).body)
    expect(all).toEqual(expect.arrayContaining(['/', '/bin/', '/d/f', '/etc/hosts', '/vol/sub/file']))
    expect(all.filter((entry) => /^\/(proc|sys)\/./.test(entry))).toEqual([])
    const zipped = await get(name, '/d/f', { 'Accept-Encoding': 'gzip' })
    expect(zipped.headers['content-encoding']).toBe('gzip')
    expect(list(gunzipSync(zipped.body))).toEqual(['f'])
  })

  test('an archive is unpacked in a directory, through symlinks, into volumes, compressed or not', async () => {
    const archive = tarOf({ 'in/': '', 'in/new': `${state}\n` })
    expect(await put(name, 'path=/ld', archive)).toEqual({ status: 200, message: undefined })
    expect(list((await get(name, '/d/in')).body)).toEqual(['in/', 'in/new'])
    const gzip = execFileSync('gzip', ['-c'], { input: archive })
    expect(await put(name, 'path=/vol/sub', gzip)).toEqual({ status: 200, message: undefined })
    expect(readFileSync(join(host.path, 'volume/sub/in/new'), 'utf8')).toBe(`${state}\n`)
    expect(await put(name, 'path=/d', new Uint8Array())).toEqual({ status: 200, message: undefined })
  })

  test('what cannot be unpacked is refused as by dockerd', async () => {
    const archive = tarOf({ new: 'x' })
    const refused = async (query: string) => Object.values(await put(name, query, archive))
    expect(await refused('path=/d/f')).toEqual([400, 'extraction point is not a directory'])
    expect(await refused('path=/d/l')).toEqual([400, 'extraction point is not a directory'])
    expect(await refused('path=/broken')).toEqual([404, `Could not find the file /broken in container ${name}`])
    expect(await refused('path=/nope')).toEqual([404, `Could not find the file /nope in container ${name}`])
    expect(await refused('path=/rovol')).toEqual([400, 'mounted volume is marked read-only'])
    expect(await refused('')).toEqual([400, 'bad parameter: pathcannot be empty'])
    expect(await put(name, 'path=/d&noOverwriteDirNonDir=1', tarOf({ e: 'no directory' }))).toMatchObject({
      message: 'cannot overwrite directory "e" with non-directory "/d"',
    })
    expect(await put(name, 'path=/d&noOverwriteDirNonDir=1', tarOf({ 'f/': '' }))).toMatchObject({
      message: 'cannot overwrite non-directory "f" with directory "/d"',
    })
    expect((await put(name, 'path=/d', Buffer.from('no archive '.repeat(200)))).status).toBe(400)
  })
})

test('a container that never ran takes files, which are there when it starts', async () => {
  const { Id } = await daemon.json('POST', '/containers/create', {
    Image: busybox,
    Cmd: ['cat', '/etc/motd', '/vol/sub/later', '/named/too'],
    HostConfig: { NetworkMode: 'none', Binds: [`${host.path}/volume:/vol`, 'copied:/named'] },
  })
  expect((await put(String(Id), 'path=/etc', tarOf({ motd: 'hello\n' }))).status).toBe(200)
  expect((await put(String(Id), 'path=/vol/sub', tarOf({ later: 'in the volume\n' }))).status).toBe(200)
  expect((await put(String(Id), 'path=/named', tarOf({ too: 'in the named one\n' }))).status).toBe(200)
  const all = 'hello\nin the volume\nin the named one\n'
  expect((await daemon.docker('start', '-a', String(Id))).stdout).toBe(all)
  await daemon.request('DELETE', `/containers/${Id}`)
})

test('a read-only root takes nothing, its volumes do', async () => {
  const flags = ['--read-only', '--tmpfs', '/d', '--tmpfs', '/scratch']
  const mounts = ['-v', `${host.path}/volume:/vol`]
  await daemon.runDetached('--network', 'none', '--name', 'fixed', ...flags, ...mounts, busybox, 'sleep', '1000')
  const archive = tarOf({ new: 'x' })
  expect(await put('fixed', 'path=/etc', archive)).toEqual({
    status: 400,
    message: 'container rootfs is marked read-only',
  })
  expect((await put('fixed', 'path=/vol', archive)).status).toBe(200)
  expect((await put('fixed', 'path=/scratch', archive)).status).toBe(200)
  expect((await daemon.docker('exec', 'fixed', 'cat', '/scratch/new')).stdout).toBe('x')
  await daemon.request('DELETE', '/containers/fixed?force=1')
})

test("owners are the archive's, or the user's whom the container runs as", async () => {
  await daemon.runDetached('--network', 'none', '--name', 'owned', '-u', '1234:567', busybox, 'sleep', '1000')
  const archive = tarOf({ new: 'x' }, '--owner=77', '--group=88', '--numeric-owner')
  await put('owned', 'path=/tmp', archive)
  expect((await daemon.docker('exec', 'owned', 'stat', '-c', '%u:%g', '/tmp/new')).stdout).toBe('77:88\n')
  await put('owned', 'path=/tmp&copyUIDGID=1', archive)
  expect((await daemon.docker('exec', 'owned', 'stat', '-c', '%u:%g', '/tmp/new')).stdout).toBe('1234:567\n')
  await daemon.request('DELETE', '/containers/owned?force=1')
})

test('events tell what was copied', async () => {
  await make('told')
  await get('told', '/d')
  await put('told', 'path=/d', tarOf({ new: 'x' }))
  const { body } = await daemon.request(
    'GET',
    `/events?since=0&until=${Date.now() / 1000 + 0.01}&filters={"container":["told"]}`,
  )
  const actions = body
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { Action: string }).Action)
  expect(actions.slice(-2)).toEqual(['archive-path', 'extract-to-dir'])
  await daemon.request('DELETE', '/containers/told?force=1')
})
