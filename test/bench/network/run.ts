/**
 * npm run bench:network [-- NAME…]: networks beside dockerd 28 with its firewall on, in a network namespace of their own; exits 1
 * when a row misses its budget. Needs dist/berth.
 */
import { type Bench, runBenches } from '../own-namespace.ts'
import { attach } from './attach.ts'
import { names } from './names.ts'
import { ports } from './ports.ts'
import { parallel, start } from './starts.ts'

const benches: Readonly<Record<string, Bench>> = { start, parallel, attach, ports, names }

process.exitCode = await runBenches(import.meta.filename, benches)
