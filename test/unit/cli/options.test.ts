import { describe, expect, test } from 'vitest'
import { checkDeviceRule, parseDevice, parseThrottleBytes } from '#cli/options/device.ts'
import { toFilterQuery } from '#cli/options/filter.ts'
import { type IpamFlags, toIpamConfig } from '#cli/options/ipam.ts'
import { checkEnv, parseEnvFile, readOption, resolveEnv, toMap } from '#cli/options/key-value.ts'
import { parseMount } from '#cli/options/mount.ts'
import { parseNetwork, toNetworking } from '#cli/options/network.ts'
import { parsePorts } from '#cli/options/port.ts'
import { parseCpus, parseDurationNanos, parseUlimit } from '#cli/options/resources.ts'
import { parseRestart } from '#cli/options/restart.ts'
import { parseSize, parseSwapSize } from '#cli/options/size.ts'
import { checkSysctl } from '#cli/options/sysctl.ts'
import { toTimestamp } from '#cli/options/timestamp.ts'

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['100', 100],
    ['1b', 1],
    ['64m', 64 * 2 ** 20],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['2 kb', 2048],
    ['1T', 2 ** 40],
  ])('%s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  test.each([
    ['', "invalid size: ''"],
    ['m', "invalid size: 'm'"],
    ['-1', "invalid size: '-1'"],
    ['1x', "invalid suffix: 'x'"],
    ['1mib2', 'invalid syntax'],
    ['1kbb', "invalid suffix: 'kbb'"],
    ['1.2.3', 'invalid syntax'],
  ])('%j is refused: %s', (text, message) => {
    expect(() => parseSize(text)).toThrow(message)
  })

  test('swap may be without limit', () => {
    expect(parseSwapSize('-1')).toBe(-1)
  })
})

describe('numbers', () => {
  test('CPUs become billionths', () => {
    expect(parseCpus('1.5')).toBe(1_500_000_000)
    expect(parseCpus('.000000001')).toBe(1)
    expect(() => parseCpus('x')).toThrow('failed to parse x as a rational number')
    expect(() => parseCpus('0.0000000001')).toThrow('value is too precise')
  })

  test('ulimits have a soft and a hard value', () => {
    expect(parseUlimit('nofile=1024:2048')).toEqual({ Name: 'nofile', Soft: 1024, Hard: 2048 })
    expect(parseUlimit('core=-1')).toEqual({ Name: 'core', Soft: -1, Hard: -1 })
    expect(() => parseUlimit('nofile')).toThrow('invalid ulimit argument: nofile')
    expect(() => parseUlimit('nope=1')).toThrow('invalid ulimit type: nope')
    expect(() => parseUlimit('nofile=2:1')).toThrow('ulimit soft limit must be less than or equal to hard limit: 2 > 1')
    expect(() => parseUlimit('nofile=1:2:3')).toThrow('too many limit value arguments')
  })

  test('durations become nanoseconds', () => {
    expect(parseDurationNanos('1m30s')).toBe(90e9)
    expect(() => parseDurationNanos('5')).toThrow('time: invalid duration "5"')
  })

  test('restart policies may have a count', () => {
    expect(parseRestart('on-failure:3')).toEqual({ Name: 'on-failure', MaximumRetryCount: 3 })
    expect(() => parseRestart('on-failure:x')).toThrow('maximum retry count must be an integer')
    expect(() => parseRestart(':3')).toThrow('no policy provided before colon')
  })
})

describe('environment and labels', () => {
  test('a bare name takes our value and stays bare without one', () => {
    expect(resolveEnv(['A', 'B', 'C=', 'D=x'], { A: '1' })).toEqual(['A=1', 'B', 'C=', 'D=x'])
    expect(() => checkEnv('=x')).toThrow('invalid environment variable: =x')
  })

  test('a file has one variable a line and comments', () => {
    const text = '\uFEFF# c\r\nA=1 2\r\n  B=#x\nHOME\nUNSET\n\n'
    expect(parseEnvFile(text, 'f', { HOME: '/root' })).toEqual(['A=1 2', 'B=#x', 'HOME=/root'])
  })

  test.each([
    ['A B=1', "invalid env file (f): variable 'A B' contains whitespaces"],
    ['=1', "invalid env file (f): no variable name on line '=1'"],
  ])('the line %j is refused', (line, message) => {
    expect(() => parseEnvFile(line, 'f', {})).toThrow(message)
  })

  test('a file that is not there is told as docker tells it', () => {
    const missing = (): string => {
      throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' })
    }
    expect(() => readOption('nope', missing)).toThrow('open nope: no such file or directory')
  })

  test('of equal labels the last wins', () => {
    expect(toMap(['a=1', 'b', 'a=2=3'])).toEqual({ a: '2=3', b: '' })
  })
})

describe('mounts', () => {
  test('fields in quotes may hold commas', () => {
    expect(parseMount('type=bind,"src=/a,b",dst=/c,readonly', '/')).toEqual({
      Type: 'bind',
      Source: '/a,b',
      Target: '/c',
      ReadOnly: true,
    })
  })

  test.each([
    ['type=bind', 'target is required'],
    ['type=,dst=/x', 'type is required'],
    ['type=tmpfs,dst=/x,volume-nocopy=true', "cannot mix 'volume-*' options with mount type 'tmpfs'"],
    ['type=bind,src=/a,dst=/b,ro=maybe', 'invalid value for ro: maybe'],
    ['type=bind,src', "invalid field 'src' must be a key=value pair"],
    ['type=bind,nope=1', "unexpected key 'nope' in 'nope=1'"],
    ['type=bind,__proto__=1', "unexpected key '__proto__'"],
    ['type=tmpfs,dst=/x,tmpfs-mode=9', 'invalid value for tmpfs-mode: 9'],
    ['type=bind,src=/a,dst=/b,bind-recursive=readonly', "requires 'readonly'"],
    ['"x', 'extraneous or missing'],
  ])('%s is refused: %s', (text, message) => {
    expect(() => parseMount(text, '/')).toThrow(message)
  })
})

describe('ports', () => {
  test.each([
    ['99999:1', 'invalid hostPort: 99999'],
    ['1:x', 'invalid containerPort: x'],
    ['80/foo', 'invalid proto: foo'],
    ['1.2.3:1:2', 'invalid IP address: 1.2.3'],
    ['80:', 'no port specified: 80:<empty>'],
    ['1-3:1-2', 'invalid ranges specified for container and host Ports: 1-2 and 1-3'],
    ['3-1:3-1', 'invalid containerPort: 3-1'],
  ])('%s is refused: %s', (text, message) => {
    expect(() => parsePorts([text], [])).toThrow(message)
  })

  test('one port inside may have a range outside, from which the engine picks', () => {
    expect(parsePorts(['7000-7002:70'], []).bindings).toEqual({ '70/tcp': [{ HostIp: '', HostPort: '7000-7002' }] })
  })
})

describe('networks', () => {
  const none = { aliases: [], links: [], ip: '', ip6: '', linkLocal: [], macAddress: '' }

  test('older flags belong to the first network', () => {
    const networks = [parseNetwork('one'), parseNetwork('name=two,alias=B')]
    expect(toNetworking({ ...none, networks, aliases: ['a'], ip: '10.0.0.2' })).toEqual({
      mode: 'one',
      endpoints: { one: { Aliases: ['a'], IPAMConfig: { IPv4Address: '10.0.0.2' } }, two: { Aliases: ['b'] } },
    })
  })

  test('what is said twice or mixes kinds is refused', () => {
    const twice = [parseNetwork('a'), parseNetwork('a')]
    expect(() => toNetworking({ ...none, networks: twice })).toThrow('network "a" is specified multiple times')
    const mixed = [parseNetwork('a'), parseNetwork('host')]
    expect(() => toNetworking({ ...none, networks: mixed })).toThrow(
      'cannot attach both user-defined and non-user-defined',
    )
    const both = [parseNetwork('name=a,ip=1.2.3.4')]
    expect(() => toNetworking({ ...none, networks: both, ip: '1.2.3.5' })).toThrow('cannot specify both --ip')
    expect(() => parseNetwork('alias=x')).toThrow('network name/id is not specified')
    expect(() => parseNetwork('name=x,nope=y')).toThrow('invalid field key nope')
  })
})

test('devices have a path inside and permissions', () => {
  expect(parseDevice('/dev/a:/dev/b:r')).toEqual({
    PathOnHost: '/dev/a',
    PathInContainer: '/dev/b',
    CgroupPermissions: 'r',
  })
  expect(parseDevice('/dev/a:rw')).toEqual({ PathOnHost: '/dev/a', PathInContainer: '/dev/a', CgroupPermissions: 'rw' })
  expect(() => parseDevice('/dev/a:/dev/b:x')).toThrow('invalid device mode: x')
  expect(() => checkDeviceRule('c 1 r')).toThrow("invalid device cgroup format 'c 1 r'")
  expect(() => parseThrottleBytes('/sda:1mb')).toThrow('bad format for device path')
})

test('only settings that a namespace keeps for itself may be set', () => {
  expect(checkSysctl('net.ipv4.ip_forward=1')).toBe('net.ipv4.ip_forward=1')
  expect(() => checkSysctl('vm.swappiness=1')).toThrow("sysctl 'vm.swappiness=1' is not allowed")
})

test('filters go to the engine as a map of sets', () => {
  expect(toFilterQuery(['label=a=b', 'label=c', ' Status = running'])).toBe(
    '{"label":{"a=b":true,"c":true},"status":{"running":true}}',
  )
  expect(toFilterQuery([])).toBeUndefined()
})

test('moments are seconds with a fraction, whichever way they are written', () => {
  const now = Date.parse('2026-01-02T03:04:05.500Z')
  expect(toTimestamp('', now)).toBeUndefined()
  expect(toTimestamp('1700000000.5', now)).toBe('1700000000.5')
  expect(toTimestamp('10m', now)).toBe('1767322445.500000000')
  expect(toTimestamp('2026-01-02T03:04:05.123456789Z', now)).toBe('1767323045.123456789')
  expect(toTimestamp('2026-01-02T04:04:05+01:00', now)).toBe('1767323045.000000000')
  expect(() => toTimestamp('soon', now)).toThrow('failed to parse value as time or duration: "soon"')
})

const ipam = (more: Partial<IpamFlags>): IpamFlags => ({
  subnets: [],
  ranges: [],
  gateways: [],
  auxAddresses: {},
  ...more,
})

test('addresses of a network go to the subnet that holds them', () => {
  const two = ['10.1.0.0/16', '10.2.0.0/16']
  expect(
    toIpamConfig(
      ipam({ subnets: two, ranges: ['10.2.3.0/24'], gateways: ['10.1.0.9'], auxAddresses: { a: '10.2.0.7' } }),
    ),
  ).toEqual([
    { Subnet: '10.1.0.0/16', Gateway: '10.1.0.9' },
    { Subnet: '10.2.0.0/16', IPRange: '10.2.3.0/24', AuxiliaryAddresses: { a: '10.2.0.7' } },
  ])
})

test.each([
  [{ gateways: ['10.1.0.1'] }, 'every ip-range or gateway must have a corresponding subnet'],
  [{ subnets: ['10.1.0.0/16'], gateways: ['10.9.0.1'] }, 'no matching subnet for gateway 10.9.0.1'],
  [
    { subnets: ['10.1.0.0/16'], ranges: ['10.1.1.0/24', '10.1.2.0/24'] },
    'cannot configure multiple ranges on the same subnet',
  ],
])('the addresses %j are refused: %s', (flags, message) => {
  expect(() => toIpamConfig(ipam(flags))).toThrow(message)
})
