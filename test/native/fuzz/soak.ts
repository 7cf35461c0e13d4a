/**
 * `npm run soak -- fuzz [SECONDS [NAME…]]`: every fuzzer (or those named) for that long (600), in slices, each from a seed of its own and from
 * what the slices before it found. Stops at the first finding and says where its input is.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSanitized, fuzzArguments, fuzzTargets } from '#test/support/sanitized.ts'

const [seconds = '600', ...names] = process.argv.slice(2)
const slices = 10
const sliceSeconds = Math.max(1, Math.floor(Number(seconds) / slices))
const targets = fuzzTargets.filter(({ name }) => names.length === 0 || names.includes(name))
await buildSanitized(...targets.map(({ name }) => `${name}_fuzz`))

for (const target of targets) {
  const found = mkdtempSync(join(tmpdir(), `berth-fuzz-${target.name}-`))
  for (let seed = 1; seed <= slices && process.exitCode === undefined; seed++) {
    const [program = ''] = await buildSanitized(`${target.name}_fuzz`)
    const limits = ['-runs=-1', `-max_total_time=${sliceSeconds}`]
    const { status, stderr } = spawnSync(program, [...fuzzArguments(target, seed, found), ...limits], {
      cwd: found,
      encoding: 'utf8',
      maxBuffer: 256 << 20,
    })
    process.stdout.write(`${target.name}, seed ${seed}, ${status === 0 ? 'nothing found' : `FOUND, see ${found}`}\n`)
    if (status === 0) continue
    process.stdout.write(stderr.slice(-8000))
    process.exitCode = 1
  }
  if (process.exitCode === undefined) rmSync(found, { recursive: true })
}
if (targets.length === 0) process.exitCode = 1
