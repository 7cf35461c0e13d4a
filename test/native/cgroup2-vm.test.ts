/** The virtual machine itself: it is no place that spoils this one. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const repository = join(import.meta.dirname, '../..')
const run = promisify(execFile)

test('a program in the machine can change this tree, and changes it for itself alone', async () => {
  const script = 'echo words >build/made-inside && cat build/made-inside && rm package.json && test ! -e package.json'
  const { stdout } = await run('test/support/cgroup2-vm', ['sh', '-c', script], { cwd: repository })
  expect(stdout).toContain('words')
  expect([existsSync(join(repository, 'build/made-inside')), existsSync(join(repository, 'package.json'))]).toEqual([
    false,
    true,
  ])
})
