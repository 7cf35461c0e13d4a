/** The shim's pure parts, compiled with AddressSanitizer and UndefinedBehaviorSanitizer. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildSanitized } from '#test/support/sanitized.ts'

const run = promisify(execFile)
const root = new URL('../..', import.meta.url).pathname
let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-shim-parts-'))
})

afterAll(async () => {
  await rm(directory, { recursive: true })
})

test('the shim reads and writes the recorded frames, and nothing beyond their ends', async () => {
  const program = await build('frame_test')
  await expect(run(program, [golden('requests'), golden('answers')])).resolves.toBeDefined()
})

test('the json-file log has the records, cuts and rotations of Docker', async () => {
  const program = await build('log_test')
  await expect(run(program, [await mkdtemp(join(directory, 'log-'))])).resolves.toBeDefined()
})

test('whatever the output and its chunks, both formats keep every byte and say what was cut', async () => {
  const program = await build('log_split_test')
  await expect(run(program, [await mkdtemp(join(directory, 'log-'))])).resolves.toBeDefined()
})

async function build(name: string): Promise<string> {
  const [program = ''] = await buildSanitized(name)
  return program
}

function golden(name: string): string {
  return join(root, 'test/golden/shim', `${name}.hex`)
}
