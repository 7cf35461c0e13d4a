import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

test.each(['/etc/passwd', '/etc/passwd/below/it'])(
  'create refuses the working directory %s and leaves nothing',
  async (place) => {
    const answer = await daemon.request('POST', '/containers/create?name=placed', { Image: busybox, WorkingDir: place })
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body)).toEqual({ message: `Cannot mkdir: ${place} is not a directory` })
    expect((await daemon.docker('ps', '-aq')).stdout).toBe('')
    expect((await daemon.request('POST', '/containers/create?name=placed', { Image: busybox })).status).toBe(201)
    await daemon.docker('rm', 'placed')
  },
)

test.each(['/not/there/yet', '/bin/../tmp'])('a container works in %s', async (place) => {
  const { code, stdout } = await daemon.docker('run', '--rm', '--network', 'none', '-w', place, busybox, 'pwd')
  expect([code, stdout]).toEqual([0, `${place === '/bin/../tmp' ? '/tmp' : place}\n`])
})

test('a bind of what holds the data root is a slave of the host’s mounts, and starts where the host’s are private too', async () => {
  const { code, stdout } = await daemon.docker(
    ...['run', '--name', 'sees', '--network', 'none', '-v', `${daemon.directory}:/all:ro`, busybox, 'ls', '/all'],
  )
  expect([code, stdout]).toEqual([0, expect.stringContaining('data')])
  const { Mounts } = await daemon.json('GET', '/containers/sees/json')
  expect(Mounts).toMatchObject([{ Destination: '/all', Propagation: 'rslave' }])
  await daemon.docker('rm', 'sees')
})

test('the size of a container is the length of its own files, which pruning gives back', async () => {
  const script = 'head -c 5000 /dev/zero > /five; ln -s five /link; mkdir /empty'
  await daemon.docker('run', '--name', 'sized', '--network', 'none', busybox, 'sh', '-c', script)
  const { SizeRw } = await daemon.json('GET', '/containers/sized/json?size=1')
  expect(SizeRw).toBe(5000 + 'five'.length)
  expect(await daemon.json('POST', '/containers/prune')).toMatchObject({ SpaceReclaimed: SizeRw })
})

test('an image tells where its layers are', async () => {
  const { GraphDriver } = await daemon.json('GET', `/images/${busybox}/json`)
  const { UpperDir } = (GraphDriver as { Data: { UpperDir: string } }).Data
  expect((await daemon.run(['test', '-x', `${UpperDir}/bin/busybox`])).code).toBe(0)
  await daemon.docker('run', '--name', 'source', '--network', 'none', busybox, 'touch', '/made')
  await daemon.docker('commit', 'source', 'made')
  const made = await daemon.json('GET', '/images/made/json')
  const data = (made.GraphDriver as { Data: Record<string, string> }).Data
  expect(data).toMatchObject({ LowerDir: UpperDir })
  expect((await daemon.run(['test', '-e', `${data.UpperDir}/made`])).code).toBe(0)
  await daemon.docker('rm', 'source')
})

test('info tells of the host to clients of any age', async () => {
  const info = await daemon.json('GET', '/info')
  expect(info).toMatchObject({ IPv4Forwarding: true, FirewallBackend: { Driver: 'nftables' } })
  expect(info.SecurityOptions).toContain('name=seccomp,profile=builtin')
  const { SecurityOptions, ...old } = await daemon.json('GET', '/v1.24/info')
  expect(SecurityOptions).toEqual(expect.arrayContaining(['seccomp', 'cgroupns']))
  expect(old).not.toHaveProperty('FirewallBackend')
  expect(Object.fromEntries(info.DriverStatus as [string, string][])).toMatchObject({ 'Native Overlay Diff': 'true' })
})
