import { describe, expect, test } from 'vitest'
import { parseContainerConfig } from '#api/parse/container-config.ts'
import { parseFilters } from '#api/parse/filters.ts'
import { parseJson } from '#api/parse/go-json.ts'
import { parseHostConfig } from '#api/parse/host-config.ts'
import { parseNetworkingConfig, withMacAddress } from '#api/parse/networking-config.ts'
import { checkPlatform } from '#api/parse/platform.ts'
import { parsePort } from '#api/parse/ports.ts'
import { Query } from '#api/parse/query.ts'
import { parsePulled } from '#api/parse/reference.ts'
import { parseRegistryAuth } from '#api/parse/registry-auth.ts'
import { parseConsoleSize, parseSize } from '#api/parse/terminal-size.ts'
import { parseTimeParameter } from '#api/parse/time.ts'

const invalid = (message: string) => expect.objectContaining({ kind: 'invalid', message })

describe('bad JSON is told in the words of Go', () => {
  test.each([
    ['{', 'invalid JSON: unexpected EOF'],
    ['{"a":}', "invalid JSON: invalid character '}' looking for beginning of value"],
    ['nope', "invalid JSON: invalid character 'o' in literal null (expecting 'u')"],
    ['{a:1}', "invalid JSON: invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid JSON: invalid character '1' after object key"],
    ['{"a":1 "b"}', `invalid JSON: invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid JSON: invalid character '2' after array element"],
    ['"a\nb"', "invalid JSON: invalid character '\\n' in string literal"],
    ['"\\q"', "invalid JSON: invalid character 'q' in string escape code"],
    ['-x', "invalid JSON: invalid character 'x' in numeric literal"],
    ['{} x', 'unexpected content after JSON'],
    ["'a'", "invalid JSON: invalid character '\\'' looking for beginning of value"],
  ])('%s', (text, message) => {
    expect(() => parseJson(text)).toThrow(invalid(message))
  })

  test.each([
    ['is not closed', '[', ''],
    ['is closed', '[', ']'],
    ['holds objects', '{"a":', '}'],
  ])('what is nested deeper than Go goes and %s is refused', (_, open, close) => {
    const text = (depth: number) => `${open.repeat(depth)}${close === '' ? '' : 'null'}${close.repeat(depth)}`
    expect(() => parseJson(text(10_001))).toThrow(invalid('invalid JSON: exceeded max depth'))
    expect(() => parseJson(text(1_000_000))).toThrow(invalid('invalid JSON: exceeded max depth'))
  })

  test('what is nested as deep as Go goes is read, and brackets in texts do not nest', () => {
    expect(() => parseJson(`${'['.repeat(10_000)}${']'.repeat(10_000)}`)).not.toThrow()
    expect(() => parseJson('['.repeat(10_000))).toThrow(invalid('invalid JSON: unexpected EOF'))
    expect(parseJson(JSON.stringify([`\\"${'['.repeat(20_000)}`]))).toEqual([`\\"${'['.repeat(20_000)}`])
  })
})

describe('query parameters', () => {
  const query = new Query<'a' | 'b' | 'c'>(new URLSearchParams('a=1&b=False&c=x'))
  test('truth is anything but nothing, 0, no, false and none', () => {
    expect(query.boolean('a')).toBe(true)
    expect(query.boolean('b')).toBe(false)
    expect(query.boolean('c')).toBe(true)
    expect(new Query<'a'>(new URLSearchParams('a=')).boolean('a')).toBe(false)
  })
  test('numbers that are none are refused in the words of Go', () => {
    expect(query.integer('a')).toBe(1)
    expect(() => query.integer('c')).toThrow(invalid('strconv.Atoi: parsing "x": invalid syntax'))
  })
})

describe('filters', () => {
  test('come as maps from Go and as lists from others', () => {
    expect(parseFilters('{"label":{"a=1":true,"b":true}}').get('label')).toEqual(['a=1', 'b'])
    expect(parseFilters('{"label":["a=1","b"]}').get('label')).toEqual(['a=1', 'b'])
    expect(parseFilters(undefined, { since: 'c1' }).get('since')).toEqual(['c1'])
  })
  test.each(['x', '5', '{"label":"a"}', '{"label":[5]}', '[]'])('%s is no filter', (text) => {
    expect(() => parseFilters(text)).toThrow(invalid('invalid filter'))
  })
})

test('times are Unix seconds with fraction, RFC 3339 or durations before now', () => {
  const now = 1_000_000_000_000_000_000n
  expect(parseTimeParameter('1700000000.5', now)).toBe(1_700_000_000_500_000_000n)
  expect(parseTimeParameter('1700000000.123456789', now)).toBe(1_700_000_000_123_456_789n)
  expect(parseTimeParameter('2023-11-14T22:13:20.25Z', now)).toBe(1_700_000_000_250_000_000n)
  expect(parseTimeParameter('10m', now)).toBe(now - 600_000_000_000n)
  expect(parseTimeParameter(undefined, now)).toBeUndefined()
  expect(() => parseTimeParameter('x', now)).toThrow(invalid('strconv.ParseInt: parsing "x": invalid syntax'))
})

describe('registry credentials', () => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  test('are read from base64url JSON', () => {
    expect(parseRegistryAuth(encode({ username: 'u', password: 'p', serveraddress: 'r' }))).toEqual({
      username: 'u',
      password: 'p',
      serverAddress: 'r',
    })
    expect(parseRegistryAuth(encode({ auth: Buffer.from('u:p:q').toString('base64') }))).toEqual({
      username: 'u',
      password: 'p:q',
    })
    expect(parseRegistryAuth(encode({ identitytoken: 't' }))).toEqual({ identityToken: 't' })
  })
  test('count as none when empty or unreadable', () => {
    for (const header of [undefined, '', '%%%', encode({}), encode({ serveraddress: 'r' }), encode({ username: 5 })]) {
      expect(parseRegistryAuth(header)).toBeUndefined()
    }
  })
})

describe('a pulled reference', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  test('takes tag or digest from the tag parameter', () => {
    expect(parsePulled('docker.io/library/busybox', 'latest')).toEqual({
      domain: 'docker.io',
      path: 'library/busybox',
      tag: 'latest',
    })
    expect(parsePulled('busybox:old', digest)).toEqual({ domain: 'docker.io', path: 'library/busybox', digest })
  })
  test('a bad tag is refused', () => {
    expect(() => parsePulled('a', '*')).toThrow(invalid('invalid tag format'))
  })
})

test('platforms have at most three parts', () => {
  expect(checkPlatform('linux/arm64/v8')).toBe('linux/arm64/v8')
  expect(() => checkPlatform('foo/bar/baz/q')).toThrow(
    invalid('"foo/bar/baz/q": cannot parse platform specifier: invalid argument'),
  )
})

test('sizes of terminals must be there and be numbers', () => {
  expect(parseSize('24', '80')).toEqual({ rows: 24, columns: 80 })
  expect(() => parseSize('x', '80')).toThrow(invalid('invalid resize height "x": invalid syntax'))
  expect(() => parseSize('24', undefined)).toThrow(invalid('invalid resize width "": invalid syntax'))
  expect(() => parseSize('-1', '80')).toThrow(invalid('invalid resize height "-1": value out of range'))
  expect(() => parseSize('24', '4294967296')).toThrow(invalid('invalid resize width "4294967296": value out of range'))
  expect(parseSize('65537', '4294967295')).toEqual({ rows: 1, columns: 65535 })
  expect(parseConsoleSize([24, 80])).toEqual([24, 80])
  expect(() => parseConsoleSize([24])).toThrow()
})

test('ports have a protocol, tcp unless said', () => {
  expect([parsePort('80'), parsePort('53/UDP'), parsePort('8000-8010')]).toEqual(['80/tcp', '53/udp', '8000-8010/tcp'])
  for (const text of ['foo', '70000', '9-8/tcp', '80/icmp']) {
    expect(() => parsePort(text)).toThrow(invalid(`invalid port specification: "${text}"`))
  }
})

describe('the config of a container', () => {
  test('has the defaults of Docker', () => {
    expect(parseContainerConfig({ Image: 'bb' })).toMatchObject({ image: 'bb', cmd: null, entrypoint: null, env: [] })
    expect(parseContainerConfig({ Image: 'bb', Entrypoint: [] }).entrypoint).toEqual([])
  })
  test.each([[{}, 'config cannot be empty in order to create a container']])('%j is refused', (body, message) => {
    expect(() => parseContainerConfig(body)).toThrow(invalid(message))
  })
})

describe('the host config', () => {
  test('has the defaults of Docker', () => {
    expect(parseHostConfig({})).toMatchObject({
      networkMode: 'bridge',
      shmSizeBytes: 0,
      ipcMode: '',
      restartPolicy: { name: 'no', maximumRetryCount: 0 },
      logConfig: { driver: '', options: {} },
      memorySwappiness: undefined,
      pidsLimit: undefined,
    })
    expect(parseHostConfig({ MemorySwappiness: -1, NetworkMode: 'default' })).toMatchObject({
      memorySwappiness: undefined,
      networkMode: 'bridge',
    })
  })

  test('binds, mounts and tmpfs become mounts that know where they came from', () => {
    const { mounts } = parseHostConfig({
      Binds: ['/a:/b:ro,rslave', 'data:/v:nocopy'],
      Mounts: [
        { Type: 'bind', Source: '/c', Target: '/d', ReadOnly: true, BindOptions: { NonRecursive: true } },
        { Type: 'tmpfs', Target: '/e', TmpfsOptions: { SizeBytes: 5, Mode: 0o700 } },
        {
          Type: 'volume',
          Source: 'data',
          Target: '/w',
          ReadOnly: false,
          VolumeOptions: { Subpath: 'a/b', Labels: { k: 'v' }, DriverConfig: { Name: 'other', Options: { o: 'x' } } },
        },
        { Type: 'image', Source: 'busybox', Target: '/i', ImageOptions: { Subpath: 'bin' } },
      ],
      Tmpfs: { '/f': 'size=1m' },
    })
    expect(mounts).toMatchObject([
      {
        type: 'bind',
        source: '/a',
        target: '/b',
        readonly: true,
        propagation: 'rslave',
        createSource: true,
        origin: 'binds',
      },
      { type: 'volume', source: 'data', target: '/v', createSource: false, volume: { noCopy: true }, origin: 'binds' },
      {
        type: 'bind',
        source: '/c',
        target: '/d',
        readonly: true,
        createSource: false,
        nonRecursive: true,
        origin: 'mounts',
      },
      { type: 'tmpfs', target: '/e', tmpfsSizeBytes: 5, tmpfsMode: 0o700, origin: 'mounts' },
      {
        type: 'volume',
        source: 'data',
        subpath: 'a/b',
        volume: { driver: 'other', options: { o: 'x' }, labels: { k: 'v' }, noCopy: false },
        // As inspect gives it back: without what is not said.
        asked: {
          Type: 'volume',
          Source: 'data',
          Target: '/w',
          VolumeOptions: { Subpath: 'a/b', Labels: { k: 'v' }, DriverConfig: { Name: 'other', Options: { o: 'x' } } },
        },
      },
      { type: 'image', source: 'busybox', subpath: 'bin', readonly: true },
      { type: 'tmpfs', target: '/f', tmpfsOptions: 'size=1m', origin: 'tmpfs' },
    ])
  })

  const bind = 'invalid mount config for type "bind": '
  const volume = 'invalid mount config for type "volume": '
  test.each([
    [{ Binds: ['/a:/b:foo'] }, 'invalid mode: foo'],
    [{ Binds: ['/a:/b:ro,rw'] }, 'invalid mode: ro,rw'],
    [{ Binds: ['/a:/b:z,Z'] }, 'invalid mode: z,Z'],
    [{ Binds: ['/a:/b:ro:x'] }, "invalid volume specification: '/a:/b:ro:x'"],
    [
      { Binds: ['/a:b'] },
      `invalid volume specification: '/a:b': ${bind}invalid mount path: 'b' mount path must be absolute`,
    ],
    [{ Mounts: [{ Type: 'bind' }] }, `${bind}field Target must not be empty`],
    [{ Mounts: [{ Type: 'bind', Target: '/x' }] }, `${bind}field Source must not be empty`],
    [
      { Mounts: [{ Type: 'bind', Source: 'rel', Target: '/x' }] },
      `${bind}invalid mount path: 'rel' mount path must be absolute`,
    ],
    [{ Mounts: [{ Type: 'foo', Target: '/x' }] }, 'invalid mount config for type "foo": mount type unknown'],
    [
      { Binds: ['data:b'] },
      `invalid volume specification: 'data:b': ${volume}invalid mount path: 'b' mount path must be absolute`,
    ],
    [
      { Binds: ['data:/'] },
      `invalid volume specification: 'data:/': ${volume}invalid specification: destination can't be '/'`,
    ],
    [
      { Binds: ['data:/b:rshared'] },
      `invalid volume specification: 'data:/b:rshared': ${volume}field BindOptions must not be specified`,
    ],
    [
      { Binds: ['/a:/b:nocopy'] },
      `invalid volume specification: '/a:/b:nocopy': ${bind}field VolumeOptions must not be specified`,
    ],
    [
      { Mounts: [{ Type: 'volume', Target: '/x', ReadOnly: true }] },
      `${volume}must not set ReadOnly mode when using anonymous volumes`,
    ],
    [
      { Mounts: [{ Type: 'volume', Target: '/x', VolumeOptions: { Subpath: 'a' } }] },
      `${volume}must not set Subpath when using anonymous volumes`,
    ],
    [
      { Mounts: [{ Type: 'volume', Source: 'v', Target: '/x', VolumeOptions: { Subpath: 'a/../../b' } }] },
      `${volume}subpath must be a relative path within the volume`,
    ],
    [
      { Mounts: [{ Type: 'volume', Source: 'v', Target: '/x', BindOptions: {} }] },
      'BindOptions must not be specified on mount type "volume"',
    ],
    [
      { Mounts: [{ Type: 'tmpfs', Target: '/x', TmpfsOptions: { Options: [['suid']] } }] },
      'invalid mount config for type "tmpfs": invalid option: suid',
    ],
    [
      { Mounts: [{ Type: 'image', Target: '/x' }] },
      'invalid mount config for type "image": field Source must not be empty',
    ],
    [{ Isolation: 'foo' }, "invalid isolation (foo): linux only supports 'default'"],
    [
      { RestartPolicy: { Name: 'foo' } },
      "invalid restart policy: unknown policy 'foo'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
  ])('%j is refused in the words of Docker', (host, message) => {
    expect(() => parseHostConfig(host)).toThrow(invalid(message))
  })

  test.each([[{ CpuRealtimePeriod: 1000 }, 'HostConfig.CpuRealtimePeriod']])(
    '%j is not served, and the error names it',
    (host, name) => {
      expect(() => parseHostConfig(host)).toThrow(
        expect.objectContaining({ kind: 'not-implemented', message: expect.stringContaining(name) as string }),
      )
    },
  )
})

test('endpoint settings become wishes for networks', () => {
  const wanted = parseNetworkingConfig({
    EndpointsConfig: { mine: { Aliases: ['a'], IPAMConfig: { IPv4Address: '10.1.0.9' }, GwPriority: 2 } },
  })
  expect(wanted).toMatchObject([{ network: 'mine', aliases: ['a'], ipv4Address: '10.1.0.9', gatewayPriority: 2 }])
})

test("a container's own MAC address is that of its first network", () => {
  const mac = '02:00:00:00:00:01'
  expect(withMacAddress([], 'bridge', mac)).toMatchObject([{ network: 'bridge', macAddress: mac }])
  const other = parseNetworkingConfig({ EndpointsConfig: { bridge: { MacAddress: '02:00:00:00:00:02' } } })
  expect(() => withMacAddress(other, 'bridge', mac)).toThrow(/must match/)
})
