/** Runs every test, compares the machine before and after, and ends with the line "N passed, N failed". */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { missingFeatures } from './support/kernel.ts'
import { leaksBetween, runMarker, takeFootprint } from './support/leaks.ts'
import { removeSharedGroups } from './support/shared-groups.ts'

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly success: boolean
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly unknown[]
  }[]
}

const root = join(import.meta.dirname, '..')
const results = join(root, 'build/test-results.json')
mkdirSync(join(root, 'build'), { recursive: true })
rmSync(results, { force: true })
process.env[runMarker] = `${process.pid}-${Date.now()}`

let passed = 0
let failed = 0
const count = (what: string, ok: boolean): void => {
  if (ok) passed += 1
  else failed += 1
  process.stdout.write(`${ok ? 'ok' : 'FAILED'}: ${what}\n`)
}

const before = takeFootprint()
count('lint, format, types and generated files (npm run check)', run('npm', ['run', '-s', 'check']) === 0)
const status = run('npx', [
  'vitest',
  'run',
  '--config=.config/vitest.config.ts',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${results}`,
  ...process.argv.slice(2),
])
const report = readReport()
passed += report?.numPassedTests ?? 0
failed += report?.numFailedTests ?? 0
if (report === undefined) count('vitest wrote its report', false)
for (const file of report?.testResults ?? []) {
  if (file.status === 'failed' && file.assertionResults.length === 0) count(`${file.name} could be loaded`, false)
}
if (report && report.numPendingTests + report.numTodoTests > 0)
  count(`no test is skipped without a kernel feature missing`, missingFeatures().length > 0)
if (status !== 0 && failed === 0) count(`vitest ended with status ${status}`, false)

await removeSharedGroups()
const leaks = leaksBetween(before, takeFootprint())
for (const leak of leaks) process.stdout.write(`left behind: ${leak}\n`)
count('nothing is left behind on the machine', leaks.length === 0)
for (const line of missingFeatures()) process.stdout.write(`left out: ${line}\n`)

process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

function run(command: string, args: readonly string[]): number {
  return spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1
}

function readReport(): Report | undefined {
  try {
    return JSON.parse(readFileSync(results, 'utf8')) as Report
  } catch {
    return undefined
  }
}
