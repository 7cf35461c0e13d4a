/** gcc -fanalyzer on the native sources: no path leaks, uses what is not there, or frees twice. */
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const execute = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const findings = join(root, 'build/analyzed')

/** gcc 12 loses sight of memory that is stored below a pointer it knows nothing of; LeakSanitizer watches the second (fuzz.test.ts). */
const misjudged = ['runtime/command/options.c: malloc-leak', 'runtime/lib/seccomp-rules.c: malloc-leak']

test('gcc’s analyzer finds nothing in the runtime, the command, the shim and the unpacking of layers', async () => {
  const make = ['make', '-s', '-j2', '-C', join(root, 'test/native'), 'analyzed']
  await execute('flock', [join(root, 'build/.analyzed.lock'), ...make], { maxBuffer: 16 << 20 })
  const sources = (await readdir(findings, { recursive: true })).filter((path) => path.endsWith('.txt')).sort()
  expect(sources.length).toBeGreaterThan(100)
  const found: string[] = []
  for (const path of sources) {
    const text = await readFile(join(findings, path), 'utf8')
    for (const [, kind] of text.matchAll(/warning: .*\[-Wanalyzer-([a-z-]+)\]/g))
      found.push(`${path.replace(/txt$/, 'c')}: ${kind}`)
  }
  expect(found).toEqual(misjudged)
})
