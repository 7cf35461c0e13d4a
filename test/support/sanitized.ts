import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')

/** Builds programs of test/native under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer.   @returns their paths */
export async function buildSanitized(...names: readonly string[]): Promise<string[]> {
  const programs = names.map((name) => `build/sanitized/${name}`)
  // Several test files may ask at once: make itself writes beside and renames, the lock only saves the work done twice.
  const make = ['make', '-s', '-j2', '-C', join(root, 'test/native'), ...programs.map((path) => `../../${path}`)]
  await execute('flock', [join(root, 'build/.sanitized.lock'), ...make], { maxBuffer: 16 << 20 })
  return programs.map((path) => join(root, path))
}

/** A fuzzer, its seeds in test/golden/fuzz, and how many inputs a short run takes. */
export interface FuzzTarget {
  readonly name: string
  readonly runs: number
  readonly seeds: string
  /** Words for the mutator. */
  readonly dictionary?: string
}

const golden = join(root, 'test/golden/fuzz')
const shortRuns: Readonly<Record<string, number>> = { seccomp: 1000, log: 600, protocol: 3000 }

/** Every fuzzer of test/native/fuzz. */
export const fuzzTargets: readonly FuzzTarget[] = readdirSync(join(root, 'test/native/fuzz'))
  .flatMap((file) => /^(.*)_fuzz\.c$/.exec(file)?.[1] ?? [])
  .sort()
  .map((name) => ({
    name,
    runs: shortRuns[name] ?? 40_000,
    seeds: join(golden, name),
    ...(/^(config|process|keeper|seccomp)$/.test(name) && { dictionary: join(golden, 'json.dict') }),
  }))

/** libFuzzer's arguments for a run that is the same each time. New inputs go to `directory`, which it runs in. */
export function fuzzArguments(target: FuzzTarget, seed: number, directory: string): string[] {
  return [
    ...[`-seed=${seed}`, `-runs=${target.runs}`, '-timeout=20', '-rss_limit_mb=1024', '-verbosity=0'],
    ...(target.dictionary === undefined ? [] : [`-dict=${target.dictionary}`]),
    ...[directory, target.seeds],
  ]
}
