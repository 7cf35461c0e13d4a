import { spawnSync } from 'node:child_process'
import { existsSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fetchDockerPeers } from '../support/dockerd.ts'
import { tempDirectory } from '../support/temp.ts'
import { type Engines, openEngines } from './engine/engines.ts'
import { missesOf, type Row, renderRows } from './table.ts'

export type Bench = (engines: Engines) => Promise<Row[]>

const marker = 'BERTH_BENCH_NETNS'

/**
 * Runs the benches whose names are given, or all, beside real peers in a network namespace of its own.
 * @param program the file that is run, there again
 * @returns an exit code: 1 when a row misses its budget
 */
export async function runBenches(program: string, benches: Readonly<Record<string, Bench>>): Promise<number> {
  const self = readlinkSync('/proc/self/ns/net')
  const names = process.argv.slice(2)
  if (process.env[marker] !== undefined && process.env[marker] !== self) return measure(benches, names)
  // From in there the world is not reached.
  fetchDockerPeers()
  const inside = spawnSync('unshare', ['--net', process.execPath, program, ...names], {
    env: { ...process.env, [marker]: self },
    stdio: 'inherit',
  })
  return inside.status ?? 1
}

async function measure(benches: Readonly<Record<string, Bench>>, names: readonly string[]): Promise<number> {
  if (!existsSync(join(import.meta.dirname, '../../dist/berth'))) {
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
