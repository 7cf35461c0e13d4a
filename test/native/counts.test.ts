/** What the machine's load does not change: how many system calls a verb makes, and how many instructions the pure parts take. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { hasKernelFeature } from '#test/support/kernel.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { countInstructions, parts } from './counts/instructions.ts'
import { type Counts, differences } from './counts/system-calls.ts'

const execute = promisify(execFile)

async function recorded(name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(import.meta.dirname, '../golden/counts', `${name}.json`), 'utf8'))
}

test.runIf(hasKernelFeature('recordedCgroupLayout'))(
  'each verb makes the system calls that are recorded (npm run counts)',
  async () => {
    const verbs = (await recorded('system-calls')) as Record<string, Counts>
    const { stdout } = await execute(process.execPath, [join(import.meta.dirname, 'counts/print.ts')])
    expect(differences(verbs, JSON.parse(stdout) as Record<string, Counts>)).toEqual([])
  },
)

test('the pure parts take the instructions that are recorded, within 5 % (npm run counts)', async () => {
  await using directory = await tempDirectory()
  const before = (await recorded('instructions')) as Record<string, number>
  const now = await countInstructions(directory.path)
  for (const part of parts) {
    expect(now[part], `${part}: more instructions`).toBeLessThan((before[part] ?? 0) * 1.05)
    expect(now[part], `${part}: fewer; record the better figure`).toBeGreaterThan((before[part] ?? 0) * 0.95)
  }
})
