import { expect, test } from 'vitest'
import { parseAddressPool } from '#engine/address-pools.ts'
import { parseConfigFile } from '#engine/config-file.ts'
import { mergeConfig } from '#engine/merge-config.ts'
import { parseUlimit } from '#engine/setting-readers.ts'
import { defaultStorageSize } from '#engine/storage-options.ts'
import { chooseSubnet } from '#network/ipam/pool.ts'
import { formatSubnet, parseSubnet } from '#network/ipam/subnet.ts'

const path = '/etc/berth/daemon.json'

test('without anything said the defaults hold', () => {
  expect(mergeConfig({}, {}, path)).toMatchObject({
    dataRoot: '/var/lib/berth',
    execRoot: '/run/berth',
    hosts: ['unix:///run/berth/berth.sock'],
    logLevel: 'info',
    mtu: 1500,
  })
})

test('the file has the keys of dockerd', () => {
  const file = parseConfigFile(
    '{"data-root": "/d", "debug": true, "registry-mirrors": ["http://m"], "mtu": 1400}',
    path,
  )
  expect(mergeConfig({}, file, path)).toMatchObject({
    dataRoot: '/d',
    logLevel: 'debug',
    registryMirrors: ['http://m'],
    mtu: 1400,
  })
})

test('limits of the disk are bytes or shares of it', () => {
  const read = (disk: object) => mergeConfig({}, parseConfigFile(JSON.stringify({ disk }), path), path).disk
  expect(read({ budget: '50GB', minFree: '5%' })).toEqual({ budget: { bytes: 50 * 2 ** 30 }, minFree: { percent: 5 } })
  expect(read({})).toEqual({})
  expect(() => read({ minfree: '1' })).toThrow('disk.minfree is not known')
  expect(() => read({ minFree: 'much' })).toThrow("invalid size: 'much'")
  expect(() => read({ minFree: '101%' })).toThrow('more than all')
})

test('the one storage option is the size of what containers write, and others are refused by name', () => {
  const read = (...list: string[]) => parseConfigFile(JSON.stringify({ 'storage-opts': list }), path)
  expect(mergeConfig({}, read('overlay2.size=10G'), path).storageOptions).toEqual(['overlay2.size=10G'])
  expect(() => read('overlay2.size=abc')).toThrow("invalid size: 'abc'")
  expect(() => read('overlay2.foo=1')).toThrow('overlay2: unknown option overlay2.foo')
  expect(() => read('foo')).toThrow('unable to parse storage-opt key/value: foo')
  expect(defaultStorageSize(['overlay2.size=1m', 'Overlay2.Size = 2g'], true)).toBe(2 ** 31)
  expect(defaultStorageSize(['overlay2.size=0'], false)).toBe(0)
  expect(() => defaultStorageSize(['overlay2.size=1m'], false)).toThrow(/^Storage option overlay2.size not supported/)
})

test('what is set twice is an error that names both', () => {
  const file = parseConfigFile('{"hosts": ["unix:///a"], "debug": true}', path)
  expect(() => mergeConfig({ hosts: ['unix:///b'], mtu: 1 }, file, path)).toThrow(
    'the following directives are specified both as a flag and in the configuration file: hosts: (from flag --host: [unix:///b], from file: [unix:///a])',
  )
})

test('unknown keys and wrong types are named', () => {
  expect(() => parseConfigFile('{"data-root": "/d", "nonsense": 1}', path)).toThrow(
    "the following directives don't match any configuration option: nonsense",
  )
  expect(() => parseConfigFile('{"debug": "yes"}', path)).toThrow(/debug is not true or false/)
  expect(() => parseConfigFile('{', path)).toThrow(/is not JSON/)
  expect(() => parseConfigFile('{"log-level": "loud"}', path)).toThrow(/invalid log level: loud/)
})

test('proxies stand in a section of their own, and no password is in what is said of them', () => {
  const file = parseConfigFile('{"proxies": {"https-proxy": "http://me:secret@p", "no-proxy": "lan"}}', path)
  expect(mergeConfig({}, file, path)).toMatchObject({ httpsProxy: 'http://me:secret@p', noProxy: 'lan' })
  expect(() => mergeConfig({ httpsProxy: 'http://you:hidden@q' }, file, path)).toThrow(
    'https-proxy: (from flag --https-proxy: http://xxxxx:xxxxx@q, from file: http://xxxxx:xxxxx@p)',
  )
  expect(() => parseConfigFile('{"proxies": {"ftp-proxy": "x"}}', path)).toThrow(
    "the following directives don't match any configuration option: ftp-proxy",
  )
})

test('registries are told apart by their prefix', () => {
  const text = '{"registries": {"ghcr.io/org": {"mirrors": ["https://m/x"]}, "r.lan": {"insecure": true}}}'
  expect(mergeConfig({}, parseConfigFile(text, path), path).registries).toEqual({
    'ghcr.io/org': { mirrors: ['https://m/x'] },
    'r.lan': { insecure: true },
  })
  expect(() => parseConfigFile('{"registries": {"r.lan": {"mirror": []}}}', path)).toThrow(
    'registries[r.lan].mirror is not supported',
  )
})

test('numbers of downloads and uploads are numbers', () => {
  const file = parseConfigFile('{"max-concurrent-downloads": 7, "max-download-attempts": 2}', path)
  expect(mergeConfig({}, file, path)).toMatchObject({
    maxConcurrentDownloads: 7,
    maxConcurrentUploads: 5,
    maxDownloadAttempts: 2,
  })
  for (const wrong of ['0', '-1', '1.5', '"3"']) {
    expect(() => parseConfigFile(`{"max-concurrent-uploads": ${wrong}}`, path)).toThrow(
      /invalid max concurrent uploads/,
    )
  }
})

test.each([true, false])('labels of SELinux: %s', (enabled) => {
  const file = parseConfigFile(`{"selinux-enabled": ${enabled}}`, path)
  expect(mergeConfig({}, file, path).selinuxEnabled).toBe(enabled)
})

test('layers are pushed as gzip or zstd', () => {
  const compressionOf = (text: string) => mergeConfig({}, parseConfigFile(text, path), path).pushCompression
  expect([compressionOf('{}'), compressionOf('{"push-compression": "zstd"}')]).toEqual(['gzip', 'zstd'])
  expect(() => parseConfigFile('{"push-compression": "lz4"}', path)).toThrow(
    'invalid push-compression: lz4: choose gzip or zstd',
  )
})

test('a file written for dockerd works, as far as it says what is so here', () => {
  const read = (file: object) => mergeConfig({}, parseConfigFile(JSON.stringify(file), path), path)
  expect(read({ 'live-restore': true, 'storage-driver': 'overlay2', features: {}, mtu: 1400 }).mtu).toBe(1400)
  expect(() => read({ 'live-restore': false })).toThrow('live-restore: false is not supported: it is always true')
  expect(() => read({ bridge: 'br0', rootless: true })).toThrow(
    'the following directives of dockerd are not supported yet: bridge, rootless; remove them',
  )
})

test('keys that say nothing are taken, as in the whole file of the manual of dockerd', () => {
  const file = {
    ...{ bridge: '', 'data-root': '', 'storage-driver': '', 'storage-opts': [], 'default-network-opts': {} },
    ...{ 'userland-proxy': false, 'raw-logs': true, ip6tables: true, 'cgroup-parent': '', 'userns-remap': '' },
  }
  expect(mergeConfig({}, parseConfigFile(JSON.stringify(file), path), path)).toEqual(mergeConfig({}, {}, path))
  expect(() => parseConfigFile('{"userland-proxy": "no"}', path)).toThrow('userland-proxy is not true or false')
})

test('features are taken as far as they are so', () => {
  const read = (features: object) => parseConfigFile(JSON.stringify({ features }), path)
  expect(read({ buildkit: true, cdi: true, 'containerd-snapshotter': false })).toEqual({})
  expect(() => read({ 'containerd-snapshotter': true })).toThrow('it is always false')
  expect(() => read({ other: true })).toThrow('features.other is not known')
  expect(() => read({ buildkit: 'yes' })).toThrow('features.buildkit is not true or false')
})

test('what is said of containers is read as by dockerd', () => {
  const read = (file: object) => mergeConfig({}, parseConfigFile(JSON.stringify(file), path), path)
  const settings = {
    ...{ dns: ['9.9.9.9', '2620:fe::9'], 'dns-opts': ['ndots:3'], 'dns-search': ['corp.test', '.'] },
    ...{ 'host-gateway-ips': ['10.9.8.7', 'fd00::1'], 'default-shm-size': '32M', init: true, ip: '127.0.0.1' },
    ...{ 'default-ipc-mode': 'shareable', 'default-cgroupns-mode': 'host', 'shutdown-timeout': -1 },
  }
  expect(read(settings)).toMatchObject({
    ...{ dns: ['9.9.9.9', '2620:fe::9'], dnsOptions: ['ndots:3'], dnsSearch: ['corp.test', '.'] },
    ...{ hostGateways: ['10.9.8.7', 'fd00::1'], defaultShmSizeBytes: 32 << 20, init: true },
    ...{ defaultIpcMode: 'shareable', defaultCgroupnsMode: 'host', publishAddress: '127.0.0.1' },
  })
  expect(read({ 'host-gateway-ip': '1.2.3.4' }).hostGateways).toEqual(['1.2.3.4'])
})

test.each([
  [{ dns: ['x'] }, 'invalid IP address: x'],
  [{ 'dns-search': ['-x-'] }, '-x- is not a valid domain'],
  [{ 'host-gateway-ips': ['1.2.3.4', '1.2.3.5'] }, 'only one IPv4 host gateway IP address can be specified'],
  [{ 'host-gateway-ip': '1.2.3.4', 'host-gateway-ips': [] }, 'must not both be specified in the config file'],
  [{ 'default-shm-size': '-1' }, "invalid size: '-1'"],
  [{ 'default-ipc-mode': 'host' }, 'IPC mode "host" is not supported as default value; use "shareable" or "private"'],
  [{ 'default-ipc-mode': 'x' }, 'default IPC mode setting (x) is invalid; use "shareable" or "private"'],
  [{ 'default-cgroupns-mode': 'x' }, 'invalid default cgroup namespace (x): use "host" or "private"'],
  [{ ip: '::1' }, 'there is no IPv6 yet'],
])('%j is refused', (file, message) => {
  expect(() => parseConfigFile(JSON.stringify(file), path)).toThrow(message)
})

test('default ulimits have a name and two numbers', () => {
  const read = (limits: object) =>
    mergeConfig({}, parseConfigFile(JSON.stringify({ 'default-ulimits': limits }), path), path).defaultUlimits
  const nofile = { name: 'nofile', soft: 1024, hard: 4096 }
  expect(read({ nofile: { Name: 'nofile', Soft: 1024, Hard: 4096 }, core: { Soft: -1, Hard: -1 } })).toEqual([
    nofile,
    { name: 'core', soft: -1, hard: -1 },
  ])
  expect(parseUlimit('nofile=1024:4096')).toEqual(nofile)
  expect(parseUlimit('core=0')).toEqual({ name: 'core', soft: 0, hard: 0 })
  expect(() => read({ files: { Soft: 1, Hard: 1 } })).toThrow('invalid ulimit type: files')
  expect(() => read({ nofile: { Soft: 1 } })).toThrow('nofile needs numbers')
  expect(() => parseUlimit('nofile=2:1')).toThrow('soft limit must be less than or equal to hard limit: 2 > 1')
  expect(() => parseUlimit('nofile')).toThrow('invalid ulimit argument: nofile')
})

test('addresses of networks come from the pools that are named', () => {
  const file = parseConfigFile('{"default-address-pools": [{"base": "10.10.0.0/16", "size": 24}]}', path)
  const wanted = [parseAddressPool('base=10.10.0.0/16,size=24')]
  expect(mergeConfig({}, file, path).addressPools).toEqual(wanted)
  expect(formatSubnet(chooseSubnet([parseSubnet('10.10.0.0/24')], wanted))).toBe('10.10.1.0/24')
})

test.each([
  ['base=10.10.0.1/16,size=24', /host bits set/],
  ['base=10.10.0.0/16,size=8', /a prefix length from 16 to 30/],
  ['base=10.0.0.0/8,size=30', /more than 65536 subnets/],
  ['base=fd00::/8,size=64', /IPv6 is not supported/],
  ['10.10.0.0/16', /write base=/],
])('the pool %s is refused', (text, message) => {
  expect(() => parseAddressPool(text)).toThrow(message)
})
