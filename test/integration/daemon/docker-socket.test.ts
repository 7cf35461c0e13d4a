import { expect, test } from 'vitest'
import { startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

const program = `${import.meta.dirname}/../../../src/main.ts`
/** With a /run of its own, where /var/run leads to. */
const command = [
  ...['unshare', '-m', 'sh', '-c', 'mount -t tmpfs tmpfs /run && exec "$@"', 'sh'],
  ...['sh', '-c', 'test -n "$TAKEN" && mkdir /run/docker.sock; exec "$@"', 'sh'],
  ...[process.execPath, program],
]

/** The first socket is served before the last one is looked at. */
const ready = ({ log }: TestDaemon) => log.includes('berth is ready')

test('the socket of docker is served where it is free, and the network in the clear where somebody said so', async () => {
  const args = ['--docker-socket', '--tls=false', '-H', 'tcp://127.0.0.1']
  await using daemon = await startDaemon({ withImage: false, command: ['env', 'TAKEN=', ...command], args })
  await waitFor('all sockets are served', () => ready(daemon))
  const curl = (...words: string[]) => daemon.run([...daemon.enter, 'curl', '-sS', ...words])
  const socket = `/proc/${daemon.pid}/root/run/docker.sock`
  expect((await curl('--unix-socket', socket, 'http://d/_ping')).stdout).toBe('OK')
  expect((await curl('http://127.0.0.1:2375/_ping')).stdout).toBe('OK')
  expect(daemon.log).toContain('gives root access on this machine')
})

test('where it is taken the daemon serves all the same, and says so', async () => {
  const args = ['--docker-socket']
  await using daemon = await startDaemon({ withImage: false, command: ['env', 'TAKEN=1', ...command], args })
  await waitFor('all sockets are looked at', () => ready(daemon))
  expect(daemon.log).toContain('/var/run/docker.sock is not served')
  expect(daemon.log).toContain('it exists and is no socket')
})
