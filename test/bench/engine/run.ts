/**
 * npm run bench:engine [-- NAME…]: measures beside real peers, in a network namespace of its own, and exits 1 when a row misses its
 * budget. Needs dist/berth.
 */
import { runBenches } from '../own-namespace.ts'
import { benches } from './benches.ts'

process.exitCode = await runBenches(import.meta.filename, benches)
