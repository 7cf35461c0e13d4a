import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const program = join(import.meta.dirname, '../../soak/powercut/run.ts')

test('after a power cut at any request to the disk, what is listed is whole', { timeout: 180_000 }, async () => {
  const words = [program, '--cuts', '5', '--seed', '7', '--seconds', '8']
  const { stdout, stderr } = await promisify(execFile)(process.execPath, words).catch(
    (error: { stdout: string; stderr: string }) => error,
  )
  expect(stdout + stderr).toMatch(/^5 cuts, [1-9]\d* images \([1-9]\d* committed\) listed after them, 0 wrong$/m)
})
