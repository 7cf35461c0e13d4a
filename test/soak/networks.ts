/** npm run soak -- networks [CYCLES] [SEED]: a thousand containers join and leave networks, from eight clients. */
import { startDaemon } from '../support/daemon.ts'
import { runNetworkStorm } from './network-storm.ts'

const [, , cycles = '1000', seed = String(Date.now() % 1_000_000)] = process.argv
console.log(`seed ${seed}`)
await using daemon = await startDaemon()
const faults = await runNetworkStorm(daemon, { cycles: Number(cycles), clients: 8, seed: Number(seed) })
for (const fault of faults) console.log(fault)
console.log(faults.length === 0 ? `${cycles} cycles, nothing left` : `${faults.length} faults`)
process.exitCode = faults.length === 0 ? 0 : 1
