import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Filters } from '#base/filters.ts'
import { silentLogger } from '#base/log.ts'
import type { HostLinks } from '#network/drivers/driver.ts'
import type { SandboxRequest } from '#network/sandbox.ts'
import { type NetworkOptions, NetworkService } from '#network/service.ts'
import type { Firewall } from '#runtime/firewall.ts'
import { openDatabase } from '#state/database.ts'

/** The host's side is played here; test/native and test/integration have the real one. */
const links: HostLinks = {
  ensureBridge: async () => undefined,
  deleteLink: async () => undefined,
  links: () => [{ name: 'lo', index: 1, master: 0 }],
  routes: () => [{ to: '0.0.0.0/0', via: '10.0.0.1', link: 'eth0' }],
}
const hostDriverOnly = 'host'

const firewall: Firewall = {
  write: async () => true,
  add: async () => undefined,
  take: async () => undefined,
  forgetFlows: async () => undefined,
  removeTable: async () => undefined,
  hasTable: () => true,
  droppingChains: () => [],
  [Symbol.dispose]: () => undefined,
}

async function openService(options: Partial<NetworkOptions> = {}, root?: string) {
  await using undo = new AsyncDisposableStack()
  const directory = root ?? (await mkdtemp(join(tmpdir(), 'berth-network-')))
  if (root === undefined) undo.defer(() => rm(directory, { recursive: true }))
  const database = undo.use(openDatabase(join(directory, 'state.db')))
  const events: string[] = []
  const service = new NetworkService({
    config: { bip: undefined, mtu: 1500 },
    database,
    links,
    log: silentLogger,
    publish: ({ action, actor }) => events.push(`${action} ${actor.attributes.name} ${actor.attributes.container}`),
    firewall,
    ...options,
  })
  const request = (mode: string): SandboxRequest => ({
    mode,
    name: 'web',
    hostname: 'web',
    domainname: '',
    directory: join(directory, 'container'),
    dns: [],
    dnsOptions: [],
    dnsSearch: [],
    extraHosts: [],
    ports: { bindings: {}, exposed: [], publishAll: false },
  })
  const opened = undo.move()
  return { service, events, request, directory, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

test('the predefined networks are there with the same ids after every start', async () => {
  await using first = await openService()
  const before = first.service.registry.list(new Filters())
  expect(before.map(({ name, driver }) => [name, driver])).toEqual([
    ['bridge', 'bridge'],
    ['host', 'host'],
    ['none', 'null'],
  ])
  expect(before[0]?.ipam).toEqual([{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }])
  await using second = await openService({}, first.directory)
  expect(second.service.registry.list(new Filters())).toEqual(before)
})

test('networks are found by name, id and unambiguous prefix', async () => {
  await using opened = await openService()
  const { id } = opened.service.registry.inspect('bridge')
  expect(opened.service.registry.inspect(id).name).toBe('bridge')
  expect(opened.service.registry.inspect(id.slice(0, 12)).name).toBe('bridge')
  expect(() => opened.service.registry.inspect('mine')).toThrow('network mine not found')
  expect(() => opened.service.registry.inspect('')).toThrow(/not found/)
})

test.each([
  [{ driver: ['null'] }, ['none']],
  [{ name: ['o'] }, ['host', 'none']],
  [{ type: ['custom'] }, []],
  [{ dangling: ['true'] }, []],
  [{ label: ['a'] }, []],
  [{ scope: ['local'], name: ['bridge'] }, ['bridge']],
])('the filter %j lists %j', async (filters, expected) => {
  await using opened = await openService()
  const listed = opened.service.registry.list(new Filters(new Map(Object.entries(filters))))
  expect(listed.map(({ name }) => name)).toEqual(expected)
})

const subject = (mode: string) => ({ id: 'c1', name: 'web', hostname: 'web', mode })

test('a network that is not there is told of at start', async () => {
  await using opened = await openService()
  expect(opened.service.planAttachments('mine', [])).toMatchObject([{ network: 'mine', networkId: undefined }])
  await expect(opened.service.openSandbox('c1', opened.request('mine'))).rejects.toMatchObject({
    kind: 'not-found',
    message: 'failed to set up container networking: network mine not found',
  })
  expect(opened.service.endpoints(subject('mine'))).toMatchObject([{ network: 'mine', networkId: '', endpointId: '' }])
})

test('the host network has an endpoint without an address', async () => {
  await using opened = await openService()
  expect(await opened.service.openSandbox('c1', opened.request(hostDriverOnly))).toEqual({ kind: 'host' })
  expect(opened.service.endpoints(subject('host'))).toMatchObject([{ network: 'host', ipAddress: '', macAddress: '' }])
  expect(opened.service.endpoints(subject('host'))[0]?.endpointId).toMatch(/^[0-9a-f]{64}$/)
  await opened.service.closeSandbox('c1')
  await opened.service.closeSandbox('c1')
  expect(opened.service.endpoints(subject('host'))).toMatchObject([{ network: 'host', endpointId: '' }])
  expect(opened.events).toEqual(['connect host c1', 'disconnect host c1'])
})

test('a malformed extra host fails the start and leaves no endpoint', async () => {
  await using opened = await openService()
  const request = { ...opened.request('none'), extraHosts: ['nonsense'] }
  await expect(opened.service.openSandbox('c1', request)).rejects.toMatchObject({ kind: 'invalid' })
  expect(opened.service.registry.inspect('none').endpoints).toEqual([])
})

test('a start that was cancelled leaves no endpoint', async () => {
  await using opened = await openService()
  const start = opened.service.openSandbox('c1', opened.request('none'), AbortSignal.abort())
  await expect(start).rejects.toMatchObject({ kind: 'cancelled' })
  expect(opened.service.registry.inspect('none').endpoints).toEqual([])
})

test('at boot the endpoints of containers that died meanwhile are closed', async () => {
  await using first = await openService()
  await first.service.openSandbox('alive', first.request('none'))
  await first.service.openSandbox('dead', first.request('none'))
  await using second = await openService({}, first.directory)
  await second.service.reconcile({ known: new Set(['alive', 'dead']), alive: new Set(['alive']) })
  expect(second.service.registry.inspect('none').endpoints.map(({ containerId }) => containerId)).toEqual(['alive'])
  expect(second.events).toEqual(['disconnect none dead'])
})

test('the bridge avoids what the host reaches by other links, and keeps what it has', async () => {
  const busy = { ...links, routes: () => [{ to: '172.16.0.0/12', via: '10.0.0.1', link: 'vpn0' }] }
  await using first = await openService({ links: busy })
  expect(first.service.registry.inspect('bridge').ipam[0]?.subnet).toBe('192.168.0.0/20')
  const own = { ...links, routes: () => [{ to: '192.168.0.0/20', link: 'berth0' }] }
  await using second = await openService({ links: own }, first.directory)
  expect(second.service.registry.inspect('bridge').ipam[0]?.subnet).toBe('192.168.0.0/20')
  await using third = await openService(
    { links: { ...links, routes: () => [{ to: '192.168.1.0/24', link: 'eth0' }] } },
    first.directory,
  )
  expect(third.service.registry.inspect('bridge').ipam[0]?.subnet).toBe('172.17.0.0/16')
})

test('a bridge that stands there already is another engine’s: the next number is taken', async () => {
  const taken = ['lo', 'berth0', 'berth2'].map((name, i) => ({ name, index: i + 1, master: 0 }))
  await using opened = await openService({ links: { ...links, links: () => taken } })
  expect(opened.service.registry.inspect('bridge').options).toMatchObject({
    'com.docker.network.bridge.name': 'berth1',
  })
})

test('where all names of bridges are taken, that is told', async () => {
  const taken = Array.from({ length: 16 }, (_, i) => ({ name: `berth${i}`, index: i + 1, master: 0 }))
  await expect(openService({ links: { ...links, links: () => taken } })).rejects.toThrow(/all names for a bridge/)
})

test.each(['10.9.0.1/24', '10.9.0.200/24'])('bip %s decides the address of the bridge', async (bip) => {
  await using opened = await openService({ config: { bip, mtu: 1500 } })
  expect(opened.service.registry.inspect('bridge').ipam).toEqual([
    { subnet: '10.9.0.0/24', gateway: bip.split('/')[0] },
  ])
})

test.each(['10.9.0.0/24', '10.9.0.255/24', '10.9.0.1/31', '10.9.0.1', 'x'])('bip %s is refused', async (bip) => {
  await expect(openService({ config: { bip, mtu: 1500 } })).rejects.toMatchObject({ kind: 'invalid' })
})
