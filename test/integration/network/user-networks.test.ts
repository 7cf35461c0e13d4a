import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

const execute = promisify(execFile)

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
})
afterAll(() => daemon[Symbol.asyncDispose]())

/** The output of a docker command that succeeds. */
async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(...args)
  if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

const sleeper = (...args: string[]): Promise<string> => docker('run', '-d', ...args, busybox, 'sleep', '600')
const refusal = async (...args: string[]): Promise<string> => (await daemon.docker(...args)).stderr.trim()

async function beside(...command: string[]): Promise<string> {
  const [file = '', ...args] = [...daemon.enter, ...command]
  return (await execute(file, args)).stdout
}

const bridges = async (): Promise<string[]> => (await beside('ip', '-o', 'link')).match(/berth-[0-9a-f]{9}/g) ?? []

/** Whether a packet comes through, and the answer back. */
async function reaches(container: string, address: string): Promise<boolean> {
  return (await daemon.docker('exec', container, 'ping', '-c', '1', '-W', '1', address)).code === 0
}

const addressOf = (container: string, network: string): Promise<string> =>
  docker('inspect', '-f', `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, container)

test('a network is made, listed, inspected and removed, and stands on the host only while it is used', async () => {
  const id = await docker('network', 'create', '--label', 'tier=a', '--internal', '-o', 'foo=bar', 'plain')
  expect(id).toMatch(/^[0-9a-f]{64}$/)
  expect(await docker('network', 'ls', '-q', '--no-trunc', '--filter', 'label=tier=a')).toBe(id)
  expect(await docker('network', 'ls', '--format', '{{.Name}}', '--filter', 'type=custom')).toBe('plain')
  expect(await docker('network', 'ls', '--format', '{{.Name}}', '--filter', 'dangling=true')).toBe('plain')
  expect(await daemon.json('GET', '/networks/plain')).toMatchObject({
    Name: 'plain',
    Id: id,
    Driver: 'bridge',
    Internal: true,
    Labels: { tier: 'a' },
    Options: { foo: 'bar' },
    IPAM: { Driver: 'default', Config: [{ Subnet: '172.18.0.0/16', Gateway: '172.18.0.1' }] },
    Containers: {},
  })
  expect(await refusal('network', 'create', 'plain')).toContain('network with name plain already exists')
  expect(await bridges()).toEqual([])
  const container = await sleeper('--network', 'plain')
  expect(await bridges()).not.toEqual([])
  expect(await refusal('network', 'rm', 'plain')).toMatch(
    /error while removing network: network plain has active endpoints \(name:"\w+" id:"[0-9a-f]{12}"\)/,
  )
  await docker('rm', '-f', container)
  await docker('network', 'rm', 'plain')
  expect(await bridges()).toEqual([])
  expect(await refusal('network', 'inspect', 'plain')).toContain('network plain not found')
})

test.each([
  [{ Name: 'bridge' }, 403, 'operation is not permitted on predefined bridge network '],
  [{ Name: '' }, 400, 'invalid name: name is empty'],
  [{ Name: 'x', Driver: 'foo' }, 404, 'plugin "foo" not found'],
  [{ Name: 'x', Driver: 'host' }, 403, 'only one instance of "host" network is allowed'],
  [{ Name: 'x', Driver: 'macvlan' }, 501, 'networks of the driver macvlan are not supported yet'],
  [{ Name: 'x', EnableIPv6: true }, 501, 'IPv6 networks are not supported yet; make the network without EnableIPv6'],
  [
    { Name: 'x', IPAM: { Config: [{ Subnet: '10.0.0.1/24' }] } },
    400,
    'invalid network config:\ninvalid subnet 10.0.0.1/24: it should be 10.0.0.0/24',
  ],
  [
    { Name: 'x', IPAM: { Config: [{ Subnet: '10.0.0.0/24', Gateway: '1.2.3.4' }] } },
    400,
    "invalid network config:\ninvalid gateway 1.2.3.4: parent subnet 10.0.0.0/24 doesn't contain this address",
  ],
  [
    { Name: 'x', IPAM: { Config: [{ Subnet: '172.17.3.0/24' }] } },
    403,
    'invalid pool request: Pool overlaps with other one on this address space (172.17.0.0/16 of network bridge)',
  ],
  [
    { Name: 'x', Options: { 'com.docker.network.bridge.enable_icc': 'maybe' } },
    400,
    'failed to parse com.docker.network.bridge.enable_icc value: maybe (strconv.ParseBool: parsing "maybe": invalid syntax)',
  ],
])('the request %j is refused with %i', async (body, status, message) => {
  const answer = await daemon.request('POST', '/networks/create', body)
  expect({ status: answer.status, ...JSON.parse(answer.body) }).toEqual({ status, message })
})

test('a network can be removed as soon as its containers are told to have stopped', async () => {
  for (let round = 0; round < 5; round++) {
    await docker('network', 'create', 'brief')
    const container = await sleeper('--network', 'brief')
    await docker('stop', '-t', '0', container)
    await docker('network', 'rm', 'brief')
    await docker('rm', container)
  }
})

test('addresses come from the range and keep off the gateway and reserved ones', async () => {
  const parts = ['--subnet', '10.44.0.0/24', '--ip-range', '10.44.0.64/29', '--gateway', '10.44.0.254']
  await docker('network', 'create', ...parts, '--aux-address', 'printer=10.44.0.64', 'ranged')
  const first = await sleeper('--network', 'ranged')
  expect(await addressOf(first, 'ranged')).toBe('10.44.0.65')
  const asked = await sleeper('--network', 'ranged', '--ip', '10.44.0.7', '--mac-address', '02:00:00:00:00:42')
  expect(await docker('exec', asked, 'ip', 'addr', 'show', 'eth0')).toMatch(/02:00:00:00:00:42.*10\.44\.0\.7\/24/s)
  expect(await docker('exec', asked, 'ip', 'route')).toContain('default via 10.44.0.254')
  expect(await refusal('run', '--network', 'ranged', '--ip', '10.44.0.7', busybox, 'true')).toContain(
    'Address already in use',
  )
  await docker('restart', '-t', '0', asked)
  expect(await addressOf(asked, 'ranged')).toBe('10.44.0.7')
  await docker('rm', '-f', first, asked)
  await docker('network', 'rm', 'ranged')
})

test('containers of one network reach each other, of two they do not, and internal ones nothing else', async () => {
  for (const name of ['red', 'blue']) await docker('network', 'create', name)
  await docker('network', 'create', '--internal', 'closed')
  const [red, red2, blue, closed] = await Promise.all([
    sleeper('--network', 'red'),
    sleeper('--network', 'red'),
    sleeper('--network', 'blue'),
    sleeper('--network', 'closed'),
  ])
  expect(await reaches(red, await addressOf(red2, 'red'))).toBe(true)
  expect(await reaches(red, await addressOf(blue, 'blue'))).toBe(false)
  expect(await reaches(blue, await addressOf(red, 'red'))).toBe(false)
  expect(await docker('exec', closed, 'ip', 'route')).not.toContain('default')
  expect(await reaches(closed, await addressOf(red, 'red'))).toBe(false)
  await docker('rm', '-f', red, red2, blue, closed)
  expect((await docker('network', 'prune', '-f')).split('\n').sort()).toEqual([
    'Deleted Networks:',
    'blue',
    'closed',
    'red',
  ])
})

test('a running container joins and leaves networks', async () => {
  await docker('network', 'create', 'one')
  await docker('network', 'create', 'two')
  const web = await sleeper('--name', 'web', '--network', 'one')
  const other = await sleeper('--network', 'two')
  await docker('network', 'connect', '--alias', 'shop', '--gw-priority', '5', 'two', 'web')
  expect(await reaches(web, await addressOf(other, 'two'))).toBe(true)
  expect(await docker('exec', web, 'ip', '-o', 'link')).toContain('eth1')
  expect(await docker('exec', web, 'ip', 'route')).toContain('default via 172.19.0.1 dev eth1')
  const { NetworkSettings } = await daemon.json('GET', '/containers/web/json')
  expect(NetworkSettings).toMatchObject({
    Networks: { two: { Aliases: ['shop'], DNSNames: ['web', 'shop', web.slice(0, 12)], GwPriority: 5 } },
  })
  const old = await daemon.json('GET', '/v1.43/containers/web/json')
  expect(old.NetworkSettings).toMatchObject({ Networks: { two: { Aliases: ['shop', web.slice(0, 12)] } } })
  expect(await refusal('network', 'connect', 'two', 'web')).toContain(
    'endpoint with name web already exists in network two',
  )
  await docker('network', 'disconnect', 'two', 'web')
  expect(await docker('exec', web, 'ip', '-o', 'link')).not.toContain('eth1')
  expect(await docker('exec', web, 'ip', 'route')).toContain('default via 172.18.0.1 dev eth0')
  expect(await docker('exec', web, 'cat', '/etc/hosts')).not.toContain('172.19.')
  expect(await refusal('network', 'disconnect', 'two', 'web')).toContain('is not connected to network two')
  await docker('rm', '-f', web, other)
  await docker('network', 'rm', 'one', 'two')
})

test('a stopped container joins at its next start, and one of several networks has them all', async () => {
  await docker('network', 'create', 'early')
  await docker('network', 'create', 'late')
  await docker('create', '--name', 'many', '--network', 'early', busybox, 'sleep', '600')
  await docker('network', 'connect', 'late', 'many')
  expect(await addressOf('many', 'late')).toBe('')
  await docker('start', 'many')
  const addresses = await docker('exec', 'many', 'ip', '-o', '-4', 'addr')
  expect(addresses).toContain(await addressOf('many', 'early'))
  expect(addresses).toContain(await addressOf('many', 'late'))
  await docker('rm', '-f', 'many')
  await docker('network', 'rm', 'early', 'late')
})

test('a container can live in the network stack of another one', async () => {
  const main = await sleeper('--hostname', 'mainbox')
  const beside = await sleeper('--network', `container:${main}`)
  const address = await addressOf(main, 'bridge')
  expect(await docker('exec', beside, 'ip', '-o', 'addr')).toContain(address)
  expect(await docker('exec', beside, 'hostname')).toBe('mainbox')
  expect(await docker('exec', beside, 'cat', '/etc/hosts')).toContain(`${address}\tmainbox`)
  expect(await refusal('network', 'connect', 'bridge', beside)).toContain(
    'container sharing network namespace with another container or host cannot be connected to any other network',
  )
  expect(await refusal('run', '--network', `container:${main}`, '--hostname', 'x', busybox, 'true')).toContain(
    'conflicting options: hostname and the network mode',
  )
  await docker('stop', '-t', '0', beside, main)
  expect(await refusal('start', beside)).toContain('cannot join network namespace of a non running container')
  await docker('rm', '-f', beside, main)
})

test.each(['restart', 'kill9'] as const)('networks, addresses and isolation outlive the daemon (%s)', async (end) => {
  await docker('network', 'create', 'kept')
  const [a, b] = [await sleeper('--network', 'kept'), await sleeper('--network', 'kept')]
  const before = await daemon.json('GET', '/networks/kept')
  if (end === 'kill9') await daemon.kill9()
  else await daemon.stop()
  await beside('nft', 'flush', 'ruleset')
  await daemon.start()
  expect(await daemon.json('GET', '/networks/kept')).toEqual(before)
  expect(await reaches(a, await addressOf(b, 'kept'))).toBe(true)
  expect(await beside('nft', 'list', 'set', 'inet', 'berth', 'bridges')).toContain('berth-')
  await docker('network', 'connect', 'bridge', a)
  expect(await docker('exec', a, 'ip', '-o', 'link')).toContain('eth1')
  await docker('rm', '-f', a, b)
  await docker('network', 'rm', 'kept')
})

test('nothing of all that is left on the host', async () => {
  const left = async () => {
    const links = await beside('ip', '-o', 'link')
    return /bth[0-9a-f]{8}@|berth-/.test(links) ? undefined : true
  }
  await waitFor('the links are gone', left)
})
