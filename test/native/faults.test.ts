/** Every seventh system call of each verb is made to fail; `npm run soak -- faults` fails them all. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const program = join(import.meta.dirname, 'faults/run.ts')

test('a system call that fails is told with its step, and leaves nothing behind', async () => {
  const child = spawn(process.execPath, [program, '--every', '7'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  const wrong = output.split('\n').filter((_, index, lines) => lines[index + 1]?.startsWith('WRONG'))
  expect(wrong).toEqual([])
  expect(code).toBe(0)
  for (const verb of [
    'create',
    'create with users',
    'start',
    'delete',
    'shim create',
    'shim create with users',
    'shim exec',
    'shim network',
  ])
    expect(output).toMatch(new RegExp(`^${verb}, call \\d+ .*, leaks 0$`, 'm'))
})
