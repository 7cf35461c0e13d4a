import { expect, test } from 'vitest'
import { runNetworkStorm } from '../../soak/network-storm.ts'
import { startDaemon } from '../../support/daemon.ts'

test('containers that come and go in any order leave no address, link or port behind', async () => {
  await using daemon = await startDaemon()
  expect(await runNetworkStorm(daemon, { cycles: 50, clients: 8, seed: 6 })).toEqual([])
})
