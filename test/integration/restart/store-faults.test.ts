/** Some of the system calls on the data root fail; `npm run soak -- store-faults` fails them all. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const program = join(import.meta.dirname, '../../soak/store-faults/run.ts')

test.each([
  ['fails is told with what for, and leaves the store as it was', ['--every', '199']],
  ['the daemon is killed at leaves a store that is whole', ['--every', '307', '--kill', '--process', '^0$']],
])('a system call on the data root that %s', { timeout: 300_000 }, async (_, words) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...words], {
    maxBuffer: 16 << 20,
  }).catch((error: { stdout: string; stderr: string }) => error)
  const wrong = stdout.split('\n').filter((line, index, lines) => `${line}${lines[index + 1]}`.includes('WRONG: '))
  expect(wrong).toEqual([])
  expect(stdout + stderr).toMatch(/^[1-9]\d* faults, 0 wrong$/m)
  for (const verb of ['pull', 'load', 'import', 'commit', 'remove', 'prune'])
    expect(stdout).toMatch(new RegExp(`^${verb}, `, 'm'))
})
