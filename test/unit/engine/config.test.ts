import { expect, test } from 'vitest'
import { mergeConfig, parseConfigFile } from '#engine/config.ts'

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

test('labels of SELinux are refused, not forgotten', () => {
  expect(() => parseConfigFile('{"selinux-enabled": true}', path)).toThrow(
    'selinux-enabled is not supported: containers get no SELinux labels',
  )
  expect(mergeConfig({}, parseConfigFile('{"selinux-enabled": false}', path), path).selinuxEnabled).toBe(false)
})
