/** npm run soak -- pulls [--seconds N] [--seed N]: pulls, removals, prunes and commits of images that share layers, 50 at a time; exits 1 when the
 *  store is not exactly what its images need. */
import { parseArgs } from 'node:util'
import { runPullStorm } from './pull-storm.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } })
const seed = Number(values.seed ?? Date.now() % 100_000)
process.stdout.write(`seed ${seed}\n`)
const report = await runPullStorm({ seconds: Number(values.seconds ?? 300), seed })
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
const isExact =
  report.inexact.length + report.findings.length + report.left.blobs + report.left.snapshots === 0 &&
  report.firstFetches === report.layers
process.stdout.write(isExact ? 'all is well\n' : 'FAILED\n')
process.exitCode = isExact ? 0 : 1
