import { expect, test } from 'vitest'
import { runCampaign } from '../../soak/api/campaign.ts'
import { startDaemon } from '../../support/daemon.ts'

const minutes = 60_000

test('requests of every kind are answered, none with an error of ours, and leave nothing behind', {
  timeout: 10 * minutes,
}, async () => {
  await using daemon = await startDaemon()
  const { faults, requests, statuses } = await runCampaign(daemon, { seed: 28, rounds: 30 })
  expect(faults).toEqual([])
  expect(requests).toBe(750)
  // Most of them got as far as the engine.
  expect(statuses['200']).toBeGreaterThan(100)
})
