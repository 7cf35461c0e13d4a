/** npm run soak -- api [MINUTES] [SEED] [CLIENTS]: requests of every kind, from right to nonsense, at a daemon of its own. */
import { startDaemon } from '../../support/daemon.ts'
import { runCampaign } from './campaign.ts'

const [, , minutes = '10', seed = String(Date.now() % 1_000_000), clients = '1'] = process.argv
console.log(`seed ${seed}`)
await using daemon = await startDaemon()
const options = { seed: Number(seed), rounds: Infinity, lastsMs: Number(minutes) * 60_000, clients: Number(clients) }
const { faults, requests, statuses } = await runCampaign(daemon, options)
for (const fault of faults) console.log(fault)
console.log(JSON.stringify(statuses))
console.log(
  faults.length === 0 ? `${requests} requests, nothing found` : `${requests} requests, ${faults.length} faults`,
)
process.exitCode = faults.length === 0 ? 0 : 1
