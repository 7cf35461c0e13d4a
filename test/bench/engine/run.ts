/**
 * npm run bench:engine [-- NAME…]: measures beside real peers, in a network namespace of its own, and exits 1 when a row misses its
 * budget. Needs dist/berth.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { tempDirectory } from '../../support/temp.ts'
import { missesOf, type Row, renderRows } from '../table.ts'
import { benches } from './benches.ts'
import { openEngines } from './engines.ts'

const marker = 'BERTH_BENCH_NETNS'
const self = readlinkSync('/proc/self/ns/net')

if (process.env[marker] === undefined || process.env[marker] === self) {
  const inside = spawnSync('unshare', ['--net', process.execPath, import.meta.filename, ...process.argv.slice(2)], {
    env: { ...process.env, [marker]: self },
    stdio: 'inherit',
  })
  process.exitCode = inside.status ?? 1
} else {
  process.exitCode = await main(process.argv.slice(2))
}

async function main(names: readonly string[]): Promise<number> {
  if (!existsSync(join(import.meta.dirname, '../../../dist/berth'))) {
    process.stderr.write('bench: there is no dist/berth; run `npm run build` first\n')
    return 1
  }
  const unknown = names.filter((name) => !Object.hasOwn(benches, name))
  if (unknown.length > 0) {
    process.stderr.write(`bench: no such bench: ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}\n`)
    return 1
  }
  spawnSync('ip', ['link', 'set', 'lo', 'up'], { stdio: 'inherit' })
  await using directory = await tempDirectory('berth-bench-')
  await using engines = await openEngines(directory.path)
  const rows: Row[] = []
  for (const [name, bench] of Object.entries(benches)) {
    if (names.length === 0 || names.includes(name)) rows.push(...(await bench(engines)))
  }
  process.stdout.write(`${renderRows(rows)}\n`)
  const missed = missesOf(rows)
  for (const miss of missed) process.stderr.write(`bench: ${miss}\n`)
  return missed.length === 0 ? 0 : 1
}
