import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { tempDirectory } from '../../support/temp.ts'
import { waitFor } from '../../support/wait-for.ts'

const secret = 'a secret of the host'
const rounds = 25

let daemon: TestDaemon
let host: Awaited<ReturnType<typeof tempDirectory>>
let archive: Buffer
beforeAll(async () => {
  daemon = await startDaemon()
  host = await tempDirectory()
  mkdirSync(join(host.path, 'treasure'))
  writeFileSync(join(host.path, 'treasure/file'), secret)
  writeFileSync(join(host.path, 'planted'), 'planted')
  archive = execFileSync('tar', ['cf', '-', '-C', host.path, 'planted'])
})
afterAll(async () => {
  await daemon[Symbol.asyncDispose]()
  await host[Symbol.asyncDispose]()
})

async function put(name: string, path: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const target = `/containers/${name}/archive?path=${path}`
  const sent = request({ socketPath: daemon.socket, method: 'PUT', path: target, agent: false }, (response) => {
    response.resume()
    resolve(response.statusCode ?? 0)
  })
  sent.on('error', reject)
  sent.end(archive)
  return await promise
}

async function run(name: string, script: string, ...flags: string[]): Promise<void> {
  await daemon.runDetached('--network', 'none', '--name', name, ...flags, busybox, 'sh', '-c', script)
}

/** Copies in both directions as often as it takes to meet every state of the race. */
async function copyWhileItChanges(name: string, path: string): Promise<Set<number>> {
  const statuses = new Set<number>()
  for (let round = 0; round < rounds; round += 1) {
    statuses.add(await put(name, path))
    // What is exchanged in the middle cuts the answer off.
    const got = await daemon.request('GET', `/containers/${name}/archive?path=${path}/`).catch(() => undefined)
    if (got) statuses.add(got.status)
    expect(got?.body ?? '').not.toContain(secret)
    const { headers } = await daemon.request('HEAD', `/containers/${name}/archive?path=${path}/file`)
    expect(headers).not.toHaveProperty('x-docker-container-path-stat')
  }
  expect(readdirSync(join(host.path, 'treasure'))).toEqual(['file'])
  return statuses
}

/** Command lines of the daemon's children that copy. */
function children(): string {
  const lines = execFileSync('ps', ['-e', '-o', 'ppid=,args='], { encoding: 'utf8' }).split('\n')
  return lines.filter((line) => line.trim().startsWith(`${daemon.pid} `) && line.includes('berth-unpack')).join('\n')
}

/** Descriptors of roots of containers: the kernel names each "/". */
const openRoots = () =>
  readdirSync(`/proc/${daemon.pid}/fd`).filter((fd) => targetOf(`/proc/${daemon.pid}/fd/${fd}`) === '/').length

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link)
  } catch {
    return undefined
  }
}

// CVE-2018-15664: the path was checked first and used afterwards.
test('a directory that becomes a symlink to the host meanwhile leads nowhere', async () => {
  const up = '../'.repeat(20)
  const script = `mkdir /real; ln -s ${up}${host.path}/treasure /relative; ln -s ${host.path}/treasure /absolute
while :; do
  rm -rf /race; mkdir /race; rm -rf /race; ln -s ${up}${host.path}/treasure /race; rm -f /race; ln -s ${host.path}/treasure /race
done`
  await run('racing', script)
  const statuses = await copyWhileItChanges('racing', '/race')
  expect([...statuses].filter((status) => ![200, 400, 404, 500].includes(status))).toEqual([])
  await daemon.request('DELETE', '/containers/racing?force=1')
})

test('a parent that is exchanged for a symlink meanwhile leads nowhere', async () => {
  const script = `mkdir -p /a/treasure /b; ln -s ${host.path} /link
while :; do mv -T /a /c; mv -T /link /a; mv -T /a /link; mv -T /c /a; done`
  await run('exchanging', script)
  await copyWhileItChanges('exchanging', '/a/treasure')
  await daemon.request('DELETE', '/containers/exchanging?force=1')
})

test('magic links of procfs are not followed, not even where process 1 is the host', async () => {
  const script = `ln -s /proc/1/root${host.path}/treasure /race; ln -s /proc/1/cwd /cwd; exec sleep 1000`
  await run('of-the-host', script, '--pid', 'host', '--privileged')
  const statuses = await copyWhileItChanges('of-the-host', '/race')
  expect([...statuses]).toEqual([404])
  expect(await put('of-the-host', '/proc/1')).toBe(404)
  await daemon.request('DELETE', '/containers/of-the-host?force=1')
})

// CVE-2019-14271: the helper loaded a library of the container.
test('nothing of the container is executed: not its libraries, not its programs', async () => {
  const script = `mkdir -p /lib /lib64 /etc; for f in libnss_files.so.2 libc.so.6 ld-linux-x86-64.so.2; do
printf '#!/bin/sh\\ntouch /executed' > /lib/$f; chmod 755 /lib/$f; done
printf 'passwd: evil' > /etc/nsswitch.conf; exec sleep 1000`
  await run('planting', script, '-u', 'root')
  expect(await put('planting', '/tmp')).toBe(200)
  expect((await daemon.request('GET', '/containers/planting/archive?path=/lib')).status).toBe(200)
  expect((await daemon.docker('exec', 'planting', 'ls', '/executed')).code).not.toBe(0)
  await daemon.request('DELETE', '/containers/planting?force=1')
})

test('a copy whose client leaves, and one that is cut off by a restart, leave nothing behind', async () => {
  await run('large', 'dd if=/dev/zero of=/large bs=1M count=64; exec sleep 1000')
  const path = '/containers/large/archive?path=/large'
  const leaving = await daemon.open('GET', path)
  leaving.destroy()
  const cutOff = await daemon.open('GET', path)
  cutOff.on('error', () => undefined)
  expect(openRoots()).toBeGreaterThan(0)
  await daemon.request('POST', '/containers/large/restart?t=0')
  cutOff.destroy()
  await daemon.request('POST', '/containers/large/stop?t=0')
  const stuck = await daemon.open('GET', path)
  stuck.destroy()
  expect((await daemon.request('POST', '/containers/large/start')).status).toBe(204)
  await waitFor('no child and no descriptor is left', () => children() === '' && openRoots() === 0)
  await daemon.request('DELETE', '/containers/large?force=1')
})
