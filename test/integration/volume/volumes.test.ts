/** What volumes promise beyond dockerd's answers: across kills, and against images and containers that mean harm. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'
import { volumeImageTar } from './volume-image.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  const archive = join(daemon.directory, 'volume-image.tar')
  await writeFile(archive, volumeImageTar())
  await docker('import', archive, 'data')
})
afterAll(() => daemon[Symbol.asyncDispose]())

/** Its output; it must not fail. */
async function docker(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(...args)
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' })
  return stdout
}

const run = (...args: readonly string[]) => docker('run', '--network', 'none', ...args)
const volumes = () => join(daemon.dataRoot, 'volumes')
const mounts = async () =>
  (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes(volumes()))

test('a name that no file can have leaves no volume behind, and is refused alike the next time', async () => {
  const name = 'a'.repeat(400)
  const make = () => daemon.request('POST', '/volumes/create', { Name: name })
  await docker('volume', 'create', 'beside')
  const first = await make()
  expect([first.status, first.body]).toEqual([400, expect.stringContaining('volume name is too long')])
  expect(await make()).toMatchObject({ status: first.status, body: first.body })
  await daemon.restart()
  expect(await docker('volume', 'ls', '-q')).not.toContain(name)
  await docker('volume', 'rm', 'beside')
})

test('data, counts and mounts outlive a killed daemon; what is left when nobody holds it is unmounted', async () => {
  await docker('volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', 'memory')
  await run('--rm', '-v', 'named:/v', busybox, 'sh', '-c', 'echo kept >/v/file')
  const id = (
    await run('-d', '-v', 'named:/v', '-v', 'memory:/m', busybox, 'sh', '-c', 'echo here >/m/x; exec sleep 1000')
  ).trim()
  await daemon.kill9()
  await daemon.start()
  expect(await run('--rm', '-v', 'memory:/m', '-v', 'named:/v', busybox, 'sh', '-c', 'cat /m/x /v/file')).toBe(
    'here\nkept\n',
  )
  const { code, stderr } = await daemon.docker('volume', 'rm', 'named')
  expect([code, stderr]).toEqual([1, `Error response from daemon: remove named: volume is in use - [${id}]\n`])

  const { State } = (await daemon.json('GET', `/containers/${id}/json`)) as { State: { Pid: number } }
  await daemon.kill9()
  process.kill(State.Pid, 'SIGKILL')
  await daemon.start()
  await docker('rm', '-f', id)
  await waitFor('the mount is gone', async () => (await mounts()).length === 0)
  await docker('volume', 'rm', 'named', 'memory')
  expect(await readdir(volumes())).toEqual([])
})

test('a create that fails leaves neither volume nor directory', async () => {
  const before = await docker('volume', 'ls', '-q')
  const { code } = await daemon.docker(
    'create',
    '--network',
    'none',
    '-v',
    'fresh:/v',
    '-v',
    '/anon',
    '-v',
    '/bin/busybox',
    busybox,
  )
  expect(code).toBe(1)
  expect(await docker('volume', 'ls', '-q')).toBe(before)
  expect(await readdir(volumes())).toEqual(before.split('\n').filter((name) => name !== ''))
})

test('an image whose declared volume is a link to the host copies nothing of the host (CVE-2022-23648)', async () => {
  const archive = join(daemon.directory, 'volume-image.tar')
  for (const [name, target] of Object.entries({ below: '/away/', through: '/data/out/' })) {
    await docker('import', '--change', `VOLUME ${target}`, archive, name)
    // Both lead to /etc of the image, which has the accounts that the image brings.
    const seen = await run('--rm', name, 'sh', '-c', 'ls -A /etc; cat /etc/passwd; grep -c " /etc " /proc/mounts')
    expect(seen).toMatch(
      /^group\nhostname\nhosts\n(mtab\n)?passwd\nresolv.conf\nroot:x:0:0:root:\/root:\/bin\/sh\nnobody:.*\n1\n$/,
    )
  }
})

test('a subpath that a container exchanges for a link all the while is never outside of its volume', async () => {
  // A directory most of the time, since create and start both have to meet it: each command is a process.
  const linger = Array.from({ length: 8 }, () => '/bin/true').join('; ')
  const exchange = `mv part away; ln -s /etc part; rm part; mv away part; ${linger}`
  const swap = `cd /v; mkdir -p part/in; echo inside >part/in/mark; while :; do ${exchange}; done`
  const id = (await run('-d', '-v', 'raced:/v', busybox, 'sh', '-c', swap)).trim()
  await waitFor('the volume has its part', async () => (await readdir(join(volumes(), 'raced', '_data'))).length > 0)
  let inside = 0
  for (let attempt = 0; attempt < 40; attempt++) {
    const part = ['--mount', 'type=volume,src=raced,dst=/p,volume-subpath=part', busybox, 'ls', '/p']
    const { code, stdout } = await daemon.docker('run', '--rm', '--network', 'none', ...part)
    if (code === 0 && stdout === 'in\n') inside++
    expect(code === 0 ? ['in\n', ''] : ['']).toContain(stdout)
  }
  expect(inside).toBeGreaterThan(0)
  await docker('rm', '-f', id)
  await docker('volume', 'rm', 'raced')
}, 120_000)

test('an image as a mount is read-only, whole or in part, and keeps its layers', async () => {
  const look = 'cat /i/data/file; touch /i/x'
  const whole = await daemon.docker(
    'run',
    '--name',
    'lender',
    '--network',
    'none',
    '--mount',
    'type=image,src=data,dst=/i',
    busybox,
    'sh',
    '-c',
    look,
  )
  expect([whole.code, whole.stdout, whole.stderr.replace(/^WARNING.*\n/, '')]).toEqual([
    1,
    'hello\n',
    'touch: /i/x: Read-only file system\n',
  ])
  const part = await daemon.docker(
    'run',
    '--rm',
    '--network',
    'none',
    '--mount',
    'type=image,src=data,dst=/i,image-subpath=link/sub',
    busybox,
    'cat',
    '/i/deep',
  )
  expect([part.code, part.stdout]).toEqual([0, 'deep\n'])
  const again = await daemon.docker('start', '-a', 'lender')
  expect(again.stdout).toBe('hello\n')
  await docker('rm', 'lender')
})

test.each([1, 3, 6])(
  'a daemon killed after %s of nine creates has no volume without an owner, and no directory without a volume',
  async (answers) => {
    const body = {
      Image: 'data',
      Cmd: ['true'],
      Volumes: { '/data': {}, '/other': {} },
      HostConfig: { NetworkMode: 'none', Binds: ['shared:/shared'] },
    }
    let seen = 0
    const { promise: enough, resolve } = Promise.withResolvers<void>()
    const creates = Array.from({ length: 9 }, async () => {
      const answer = await daemon.request('POST', '/containers/create', body).catch(() => undefined)
      if (answer !== undefined && ++seen === answers) resolve()
      return answer?.status
    })
    await enough
    await daemon.kill9()
    await Promise.all(creates)
    await daemon.start()
    const names = async (filter: string) =>
      (await docker('volume', 'ls', '-q', ...filter.split(' ').filter((one) => one !== '')))
        .split('\n')
        .filter((one) => one !== '')
    expect((await readdir(volumes())).toSorted()).toEqual((await names('')).toSorted())
    expect(await names('--filter dangling=true')).toEqual([])
    const ids = (await docker('ps', '-aq')).split('\n').filter((one) => one !== '')
    expect(ids.length).toBeGreaterThanOrEqual(answers)
    await docker('rm', '-v', ...ids)
    await waitFor('their volumes are gone', async () => (await readdir(volumes())).join() === 'shared')
    await docker('volume', 'rm', 'shared')
  },
)
