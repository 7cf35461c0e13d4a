import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { changeHosts, type EtcContext, extraHost, hostFiles, writeEtcFiles } from '#network/etc-files.ts'
import type { SandboxRequest } from '#network/sandbox.ts'
import { takeLease } from '#test/support/lease.ts'

interface Host {
  readonly hosts?: string
  readonly resolvConf?: string
  readonly resolvedConf?: string
}

const plain: Omit<SandboxRequest, 'directory'> = {
  mode: 'bridge',
  name: 'web',
  hostname: 'web',
  domainname: '',
  dns: [],
  dnsOptions: [],
  dnsSearch: [],
  extraHosts: [],
  ports: { bindings: {}, exposed: [], publishAll: false },
}

/** Writes the files of a container on a host with these files, and reads them back. */
async function filesOf(host: Host, request: Partial<SandboxRequest>, context: Partial<EtcContext>) {
  const root = await mkdtemp(join(tmpdir(), 'berth-etc-'))
  await using _cleanup = { [Symbol.asyncDispose]: () => rm(root, { recursive: true }) }
  const files = { hosts: join(root, 'h'), resolvConf: join(root, 'r'), resolvedConf: join(root, 'd') }
  for (const name of ['hosts', 'resolvConf', 'resolvedConf'] as const) {
    const text = host[name]
    if (text !== undefined) await writeFile(files[name], text)
  }
  const directory = join(root, 'container')
  await writeEtcFiles(
    { ...plain, ...request, directory },
    { hostNetwork: false, ownDns: false, addresses: ['172.17.0.2'], hostGateways: ['172.17.0.1'], files, ...context },
  )
  const read = (name: string) => readFile(join(directory, name), 'utf8')
  return { hosts: await read('hosts'), hostname: await read('hostname'), resolvConf: await read('resolv.conf') }
}

const settings = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

test('hosts names localhost, the extra hosts, and the container at its address', async () => {
  const { hosts, hostname } = await filesOf({}, { extraHosts: ['db:10.0.0.5', 'up:host-gateway', 'six:[::2]'] }, {})
  expect(hosts).toBe(
    [
      '127.0.0.1\tlocalhost',
      '::1\tlocalhost ip6-localhost ip6-loopback',
      'fe00::\tip6-localnet',
      'ff00::\tip6-mcastprefix',
      'ff02::1\tip6-allnodes',
      'ff02::2\tip6-allrouters',
      '10.0.0.5\tdb',
      '172.17.0.1\tup',
      '::2\tsix',
      '172.17.0.2\tweb',
      '',
    ].join('\n'),
  )
  expect(hostname).toBe('web\n')
})

test('a domain name comes first', async () => {
  const { hosts } = await filesOf({}, { domainname: 'example.org' }, {})
  expect(hosts).toMatch(/\n172\.17\.0\.2\tweb\.example\.org web\n$/)
})

test('without an address there is no line for it', async () => {
  const { hosts } = await filesOf({}, {}, { addresses: [] })
  expect(hosts).not.toContain('web')
})

test('on the network of the host its own files count, with the extra hosts after them', async () => {
  const { hosts, resolvConf } = await filesOf(
    { hosts: '127.0.0.1 localhost\n10.1.1.1 me', resolvConf: 'nameserver 127.0.0.53\n' },
    { extraHosts: ['db:10.0.0.5'] },
    { hostNetwork: true, addresses: [] },
  )
  expect(hosts).toBe('127.0.0.1 localhost\n10.1.1.1 me\n10.0.0.5\tdb\n')
  expect(resolvConf).toBe('nameserver 127.0.0.53\n')
})

test('nameservers that a container cannot reach are left out', async () => {
  const host =
    'search a.example b.example\nnameserver 127.0.0.1\nnameserver 10.9.9.9\nnameserver fe80::1%eth0\noptions ndots:2 rotate\n'
  const { resolvConf } = await filesOf({ resolvConf: host }, {}, {})
  expect(settings(resolvConf)).toEqual(['nameserver 10.9.9.9', 'search a.example b.example', 'options ndots:2 rotate'])
})

test('where none is left, public ones are taken', async () => {
  const { resolvConf } = await filesOf({ resolvConf: 'nameserver 127.0.0.1\n' }, {}, {})
  expect(settings(resolvConf)).toEqual(['nameserver 8.8.8.8', 'nameserver 8.8.4.4'])
  expect(settings((await filesOf({}, {}, {})).resolvConf)).toEqual(['nameserver 8.8.8.8', 'nameserver 8.8.4.4'])
})

test('behind the stub of systemd-resolved its real nameservers are found', async () => {
  const { resolvConf } = await filesOf(
    { resolvConf: 'nameserver 127.0.0.53\noptions edns0\n', resolvedConf: 'nameserver 192.0.2.53\nsearch lan\n' },
    {},
    {},
  )
  expect(settings(resolvConf)).toEqual(['nameserver 192.0.2.53', 'search lan'])
})

test("a container's own settings replace the host's, list by list", async () => {
  const host = 'nameserver 10.9.9.9\nsearch a.example\noptions rotate\n'
  const own = await filesOf({ resolvConf: host }, { dns: ['1.1.1.1'], dnsOptions: ['ndots:1'] }, {})
  expect(settings(own.resolvConf)).toEqual(['nameserver 1.1.1.1', 'search a.example', 'options ndots:1'])
  const bare = await filesOf({ resolvConf: host }, { dnsSearch: ['.'] }, {})
  expect(settings(bare.resolvConf)).toEqual(['nameserver 10.9.9.9', 'options rotate'])
})

test.each(['nocolon', ':10.0.0.1', 'a b:10.0.0.1', 'a:10.0.0.1\n6.6.6.6 bank', 'a:not an address'])(
  'refuses the extra host %j',
  (text) => {
    expect(() => extraHost(text, [])).toThrow(/add-host/)
  },
)

test('host-gateway needs a gateway', () => {
  expect(() => extraHost('up:host-gateway', [])).toThrow(/host-gateway/)
})

test('a lease that a container holds on a file keeps nobody waiting', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-etc-'))
  await using _cleanup = { [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) }
  const request = { ...plain, directory }
  const context = {
    hostNetwork: false,
    ownDns: false,
    addresses: ['172.17.0.2'],
    hostGateways: [],
    files: hostFiles,
  }
  await writeEtcFiles(request, context)
  const hosts = () => readFile(join(directory, 'hosts'), 'utf8')
  {
    await using _lease = await takeLease(join(directory, 'hosts'))
    await changeHosts(request, { added: ['172.18.0.2'] })
    await writeEtcFiles(request, context)
    expect(await hosts()).not.toContain('172.18.0.2')
  }
  await changeHosts(request, { added: ['172.18.0.2'], removed: ['172.17.0.2'] })
  expect(await hosts()).toMatch(/\n172\.18\.0\.2\tweb\n$/)
  expect(await hosts()).not.toContain('172.17.0.2')
})

test('a hosts file that its container has made too large is not read', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-etc-'))
  await using _cleanup = { [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) }
  const path = join(directory, 'hosts')
  await writeFile(path, '')
  await truncate(path, 2 ** 40)
  await changeHosts({ ...plain, directory }, { added: ['172.18.0.2'] })
  expect((await stat(path)).size).toBe(2 ** 40)
})

test("where the engine's own server answers, it is the only one, and names of one word go to it", async () => {
  const host = { resolvConf: 'nameserver 192.0.2.1\nsearch lan\noptions timeout:1\n' }
  const { resolvConf } = await filesOf(host, { dns: ['192.0.2.7'] }, { ownDns: true })
  expect(resolvConf).toMatch(/^nameserver 127\.0\.0\.11\nsearch lan\noptions timeout:1 ndots:0\n$/m)
  const kept = await filesOf(host, { dnsOptions: ['ndots:2'] }, { ownDns: true })
  expect(kept.resolvConf).toContain('options ndots:2\n')
})
