/** Plans and the JSON they come from, compiled with AddressSanitizer and UndefinedBehaviorSanitizer. */
import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { runNativeTest } from '#test/support/native-program.ts'
import { tempDirectory } from '#test/support/temp.ts'

const execute = promisify(execFile)
const repository = join(import.meta.dirname, '..', '..', '..')

test('plans say what the documents say, and damaged ones are refused', async () => {
  await using directory = await tempDirectory()
  const program = join(directory.path, 'plan_test')
  const lib = join(repository, 'runtime/lib')
  const sources = (await readdir(lib)).filter((name) => /^(plan|spec|json|error|fd|netlink|number).*\.c$/.test(name))
  const checks = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']
  const flags = ['-std=gnu17', '-g', '-O1', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', ...checks]
  await execute('gcc', [
    ...[...flags, '-iquote', lib, '-iquote', join(repository, 'test/native'), '-o', program],
    ...[join(import.meta.dirname, 'plan_test.c'), ...sources.map((name) => join(lib, name)), '-ljansson'],
  ])
  const { failures, passed } = await runNativeTest([program], 120_000)
  expect(failures).toEqual([])
  expect(passed).toBeGreaterThan(30)
})
