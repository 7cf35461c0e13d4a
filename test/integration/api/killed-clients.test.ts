import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { dockerCli } from '../../support/dockerd.ts'
import { waitFor } from '../../support/wait-for.ts'
import { connectionsOf, openFilesOf } from './connections.ts'

/** Clients in the middle of everything that lasts, killed when all of them are connected. */
async function killClients(daemon: TestDaemon, container: string): Promise<void> {
  const commands = [
    ['logs', '-f', container],
    ['wait', container],
    ['events'],
    ['attach', container],
    ['exec', container, 'sleep', '1000'],
    ['exec', '-i', container, 'cat'],
  ]
  const env = { ...process.env, DOCKER_HOST: daemon.host, DOCKER_CONFIG: daemon.directory }
  const clients = [...commands, ...commands].map((args) =>
    spawn(dockerCli(), args, { env, stdio: ['pipe', 'ignore', 'ignore'] }),
  )
  try {
    await waitFor('all clients are connected', () => connectionsOf(daemon) >= clients.length)
  } finally {
    const ends = clients.map((client) => once(client, 'close'))
    for (const client of clients) client.kill('SIGKILL')
    await Promise.all(ends)
  }
  await waitFor('all connections are closed', () => connectionsOf(daemon) === 0)
}

test('clients that are killed in the middle of logs, wait, events, attach and exec leave nothing in the daemon', async () => {
  await using daemon = await startDaemon()
  const container = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  // The first round opens what is opened once: files of the log, a shim kept ready.
  await killClients(daemon, container)
  const before = openFilesOf(daemon)
  for (let round = 0; round < 3; round += 1) await killClients(daemon, container)
  await waitFor('the daemon has no more files open than before', () => openFilesOf(daemon) <= before + 2)
  expect((await daemon.docker('exec', container, 'echo', 'well')).stdout).toBe('well\n')
})
