import { expect, test } from 'vitest'
import { completeHost } from '#cli/client/address.ts'
import { sshArguments } from '#cli/client/ssh.ts'
import { addressOf } from './memory-cli.ts'

const standard = 'unix:///run/berth.sock'

test.each([
  ['', standard],
  ['unix://', standard],
  ['unix:///a', 'unix:///a'],
  ['/a/b', 'unix:///a/b'],
  ['./b', 'unix://./b'],
  ['tcp://', 'tcp://localhost:2375'],
  ['tcp://h', 'tcp://h:2375'],
  ['tcp://:1', 'tcp://localhost:1'],
  [' h:2 ', 'tcp://h:2'],
  ['h', 'tcp://h:2375'],
  ['tcp://[::1]:80', 'tcp://[::1]:80'],
  ['tcp://h:1/base', 'tcp://h:1/base'],
  ['ssh://u@h/x', 'ssh://u@h/x'],
  ['npipe://', 'npipe:////./pipe/docker_engine'],
])('the host %j is %s in full', (given, full) => {
  expect(completeHost(given, standard)).toBe(full)
})

test.each(['foo://x', 'https://h', 'tcp://h:1:2', 'tcp://a b:c'])('the host %s has no form of an address', (text) => {
  expect(() => completeHost(text, standard)).toThrow(`invalid bind address format: ${text}`)
})

test.each([
  ['tcp://h:1', { host: 'h', port: 1, prefix: '' }],
  ['tcp://[::1]:80', { host: '::1', port: 80 }],
  ['tcp://h/a/', { host: 'h', port: 80, prefix: '/a' }],
  ['unix:///a b', { path: '/a b' }],
  ['ssh://u@h:22/run/x', { spec: { user: 'u', host: 'h', port: '22', path: '/run/x' } }],
  ['ssh://h/', { spec: { user: '', host: 'h', port: '', path: '' } }],
  ['ssh://[::1]', { spec: { user: '', host: '::1', port: '', path: '' } }],
])('%s is an address', (text, wanted) => {
  expect(addressOf(text)).toMatchObject(wanted)
})

test.each([
  ['berth.sock', 'unable to parse docker host `berth.sock`'],
  ['unix://', 'unable to parse docker host `unix://`'],
  ['fd://', 'unable to parse docker host `fd://`'],
  ['tcp://h:x', 'unable to parse docker host `tcp://h:x`'],
  ['npipe:////./pipe/x', 'protocol not available'],
  ['ssh://u:secret@h', 'invalid SSH URL: plain-text password is not supported'],
  ['ssh://h?a=b', 'invalid SSH URL: query parameters are not allowed: "a=b"'],
  ['ssh://h#a', 'invalid SSH URL: fragments are not allowed: "a"'],
])('%s is no address', (text, message) => {
  expect(() => addressOf(text)).toThrow(message)
})

test('what ssh is to run over there is quoted for the shell that it meets', () => {
  expect(sshArguments({ user: 'u', host: 'h', port: '22', path: `/a'; reboot '` })).toEqual([
    ...['-l', 'u', '-p', '22', '-o', 'ConnectTimeout=30', '-T', '--', 'h'],
    ...['docker', `'--host=unix:///a'\\''; reboot '\\'''`, 'system', 'dial-stdio'],
  ])
})
