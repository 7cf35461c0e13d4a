import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
})
afterAll(() => daemon[Symbol.asyncDispose]())

test('a link on the default bridge puts the other one into hosts and environment', async () => {
  const exposed = ['--expose', '80', '--expose', '70/udp']
  await daemon.runDetached('--name', 'store', '-e', 'FOO=bar', ...exposed, '--hostname', 'box', busybox, 'sleep', '600')
  const { stdout } = await daemon.docker('inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'store')
  const address = stdout.trim()
  const told = await daemon.docker(
    'run',
    '--name',
    'user',
    '--link',
    'store:my-db',
    busybox,
    'sh',
    '-c',
    'env; cat /etc/hosts',
  )
  expect(told.stderr).toBe('')
  const lines = told.stdout.split('\n')
  expect(lines).toEqual(
    expect.arrayContaining([
      `${address}\tmy-db box store`,
      `MY_DB_PORT=tcp://${address}:80`,
      `MY_DB_PORT_80_TCP=tcp://${address}:80`,
      `MY_DB_PORT_80_TCP_ADDR=${address}`,
      'MY_DB_PORT_80_TCP_PORT=80',
      'MY_DB_PORT_80_TCP_PROTO=tcp',
      `MY_DB_PORT_70_UDP=udp://${address}:70`,
      'MY_DB_NAME=/user/my-db',
      'MY_DB_ENV_FOO=bar',
    ]),
  )
  const { HostConfig } = await daemon.json('GET', '/containers/user/json')
  expect(HostConfig).toMatchObject({ Links: ['/store:/user/my-db'] })
  await daemon.docker('stop', '-t', '0', 'store')
  const { stderr } = await daemon.docker('start', 'user')
  expect(stderr).toContain('Cannot link to a non running container: /store AS /user/my-db')
  await daemon.docker('rm', '-f', 'user', 'store')
})

test('links to nobody, or in the network of the host, are refused', async () => {
  const refusal = async (...args: string[]) => (await daemon.docker('run', '--rm', ...args, busybox, 'true')).stderr
  expect(await refusal('--link', 'nope:x')).toContain('could not get container for nope: No such container: nope')
  expect(await refusal('--network', 'host', '--link', 'nope:x')).toContain(
    "conflicting options: host type networking can't be used with links",
  )
})

test('a link on a network of one’s own is a name', async () => {
  await daemon.docker('network', 'create', 'own')
  await daemon.runDetached('--name', 'target', '--network', 'own', busybox, 'sleep', '600')
  const ping = ['ping', '-c', '1', '-W', '2', 'nick']
  const { stdout } = await daemon.docker('run', '--rm', '--network', 'own', '--link', 'target:nick', busybox, ...ping)
  expect(stdout).toContain('1 packets received')
  await daemon.docker('rm', '-f', 'target')
  await daemon.docker('network', 'rm', 'own')
})
