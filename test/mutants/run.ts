/**
 * `npm run test:mutants [WORD…]`: builds each mutant (or those whose line has a word) in a copy of the tree and runs the tests that must
 * fail there. Prints `lesson, what is naive, tests, killed|SURVIVED`; ends with 1 when one survived or no longer applies.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Mutant, mutants, mutate } from './mutants.ts'

const root = join(import.meta.dirname, '..', '..')
const words = process.argv.slice(2)
const wanted = mutants.filter((mutant) => words.length === 0 || words.some((word) => lineOf(mutant).includes(word)))
const copy = mkdtempSync(join(tmpdir(), 'berth-mutants-'))
let survivors = 0
try {
  copyTree()
  for (const mutant of wanted) {
    const verdict = judge(mutant)
    if (verdict !== 'killed') survivors += 1
    process.stdout.write(`${lineOf(mutant)}, ${verdict}\n`)
  }
} finally {
  rmSync(copy, { recursive: true, force: true })
}
process.stdout.write(`${wanted.length - survivors} killed, ${survivors} survived\n`)
process.exitCode = survivors === 0 && wanted.length > 0 ? 0 : 1

function lineOf({ lesson, naive, test }: Mutant): string {
  return `${lesson}, ${naive}, ${test}`
}

function copyTree(): void {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const files = execFileSync('git', list, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 }).split('\0')
  for (const file of files.filter(Boolean)) cpSync(join(root, file), join(copy, file), { preserveTimestamps: true })
  cpSync(join(root, 'build'), join(copy, 'build'), {
    recursive: true,
    preserveTimestamps: true,
    filter: (path) => !/^\/(cache|test)(\/|$)/.test(path.slice(join(root, 'build').length)),
  })
  symlinkSync(join(root, 'build/cache'), join(copy, 'build/cache'))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
}

function judge(mutant: Mutant): string {
  const path = join(copy, mutant.file)
  const source = readFileSync(path, 'utf8')
  const before = runTests(mutant)
  if (before.passed === 0 || before.failed > 0)
    return `SURVIVED: without the change ${before.failed} tests fail already`
  try {
    writeFileSync(path, mutate(source, mutant))
    if (!build()) return 'SURVIVED: it does not compile'
    const after = runTests(mutant)
    return after.failed > 0 ? 'killed' : `SURVIVED: ${after.passed} tests pass`
  } catch (error) {
    return `SURVIVED: ${(error as Error).message}`
  } finally {
    writeFileSync(path, source)
    build()
  }
}

function build(): boolean {
  return spawnSync('npm', ['run', '-s', 'native'], { cwd: copy, stdio: 'ignore' }).status === 0
}

function runTests({ test, pattern }: Mutant): { passed: number; failed: number } {
  const output = join(copy, 'build/mutant.json')
  rmSync(output, { force: true })
  const escaped = pattern.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  const report = ['--reporter=json', `--outputFile.json=${output}`]
  spawnSync('npx', ['vitest', 'run', '--config=.config/vitest.config.ts', ...report, '-t', escaped, test], {
    cwd: copy,
    stdio: 'ignore',
  })
  const result = JSON.parse(readFileSync(output, 'utf8')) as { numPassedTests: number; numFailedTests: number }
  return { passed: result.numPassedTests, failed: result.numFailedTests }
}
