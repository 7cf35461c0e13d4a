/**
 * `npm run test:mutants [WORD…]`: builds each mutant (or those whose line has a word) in a copy of the tree and runs the tests that must
 * fail there. Prints `lesson, what is naive, tests, killed|SURVIVED`; ends with 1 when one survived or no longer applies.
 */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Mutant, mutants, mutate } from './mutants.ts'

interface Outcome {
  readonly name: string
  readonly passed: boolean
}

/** A test that waits for what its mutant never does fails by this; a program that does not even fail is ended by the other. */
const testLimitMs = 60_000
const programLimitMs = 300_000

const root = join(import.meta.dirname, '..', '..')
const prefix = 'berth-mutants-'
const words = process.argv.slice(2)
const wanted = mutants.filter((mutant) => words.length === 0 || words.some((word) => lineOf(mutant).includes(word)))
const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop.abort())

removeOldCopies()
const copy = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
let survivors = 0
try {
  await copyTree()
  await build()
  const before = await runAll()
  for (const mutant of wanted) {
    const verdict = await judge(mutant, before)
    if (verdict !== 'killed') survivors += 1
    process.stdout.write(`${lineOf(mutant)}, ${verdict}\n`)
  }
  process.stdout.write(`${wanted.length - survivors} killed, ${survivors} survived\n`)
  process.exitCode = survivors === 0 && wanted.length > 0 ? 0 : 1
} catch (error) {
  if (!stop.signal.aborted) throw error
  process.exitCode = 130
} finally {
  rmSync(copy, { recursive: true, force: true, maxRetries: 5 })
}

function lineOf({ lesson, naive, test }: Mutant): string {
  return `${lesson}, ${naive}, ${test}`
}

/** Of runs that were killed: their number is nobody's. */
function removeOldCopies(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
}

async function copyTree(): Promise<void> {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const { output } = await run('git', list, root)
  for (const file of output.split('\0').filter((path) => path !== '' && existsSync(join(root, path))))
    cpSync(join(root, file), join(copy, file), { preserveTimestamps: true })
  cpSync(join(root, 'build'), join(copy, 'build'), {
    recursive: true,
    preserveTimestamps: true,
    filter: (path) => !/^\/(cache|test)(\/|$)/.test(path.slice(join(root, 'build').length)),
  })
  symlinkSync(join(root, 'build/cache'), join(copy, 'build/cache'))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
}

/** Each file of tests once, without a change. */
async function runAll(): Promise<Map<string, readonly Outcome[]>> {
  const outcomes = new Map<string, readonly Outcome[]>()
  for (const test of new Set(wanted.map((mutant) => mutant.test))) {
    const patterns = wanted.filter((mutant) => mutant.test === test).map(({ pattern }) => pattern)
    outcomes.set(test, (await runTests(test, patterns)) ?? [])
  }
  return outcomes
}

async function judge(mutant: Mutant, before: ReadonlyMap<string, readonly Outcome[]>): Promise<string> {
  const chosen = (before.get(mutant.test) ?? []).filter(({ name }) => name.includes(mutant.pattern))
  if (chosen.length === 0) return 'SURVIVED: no test has such a name'
  const failing = chosen.filter(({ passed }) => !passed)
  if (failing.length > 0) return `SURVIVED: without the change ${failing.length} tests fail already`
  const path = join(copy, mutant.file)
  const source = readFileSync(path, 'utf8')
  try {
    writeFileSync(path, mutate(source, mutant))
    if (!(await build())) return 'SURVIVED: it does not compile'
    const after = await runTests(mutant.test, [mutant.pattern])
    if (!after) return 'SURVIVED: its tests neither pass nor fail'
    return after.some(({ passed }) => !passed) ? 'killed' : `SURVIVED: ${after.length} tests pass`
  } catch (error) {
    if (stop.signal.aborted) throw error
    return `SURVIVED: ${(error as Error).message}`
  } finally {
    writeFileSync(path, source)
  }
}

async function build(): Promise<boolean> {
  return (await run('npm', ['run', '-s', 'native'], copy)).code === 0
}

/** Undefined: they did not come to an end. */
async function runTests(test: string, patterns: readonly string[]): Promise<readonly Outcome[] | undefined> {
  const report = join(copy, 'build/mutant.json')
  rmSync(report, { force: true })
  const names = patterns.map((pattern) => pattern.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('|')
  const vitest = [join(copy, 'node_modules/vitest/vitest.mjs'), 'run', '--config=.config/vitest.config.ts']
  const limits = [`--testTimeout=${testLimitMs}`, '--reporter=json', `--outputFile.json=${report}`]
  await run(process.execPath, [...vitest, ...limits, '-t', names, test], copy)
  if (!existsSync(report)) return undefined
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { assertionResults: { fullName: string; status: string }[] }[]
  }
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'passed' || status === 'failed')
    .map(({ fullName, status }) => ({ name: fullName, passed: status === 'passed' }))
}

/** In a group of its own, which ends with this program and at the limit.   @throws when this program is told to stop */
async function run(program: string, args: readonly string[], cwd: string): Promise<{ code: number; output: string }> {
  stop.signal.throwIfAborted()
  const child = spawn(program, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
  const end = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
  }
  const timer = setTimeout(end, programLimitMs)
  stop.signal.addEventListener('abort', end)
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  try {
    const code = await ended
    stop.signal.throwIfAborted()
    return { code, output }
  } finally {
    clearTimeout(timer)
    stop.signal.removeEventListener('abort', end)
  }
}
