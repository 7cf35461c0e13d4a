/** The shim's pure parts, compiled with AddressSanitizer and UndefinedBehaviorSanitizer. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

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
  const program = await compile('frame_test.c', ['shim/frame.c'])
  await expect(run(program, [golden('requests'), golden('answers')])).resolves.toBeDefined()
})

const logSources = ['log.c', 'log-file.c', 'log-record.c', 'timestamp.c'].map((name) => `shim/${name}`)

test('the json-file log has the records, cuts and rotations of Docker', async () => {
  const program = await compile('log_test.c', [...logSources, 'runtime/lib/error.c'])
  await expect(run(program, [await mkdtemp(join(directory, 'log-'))])).resolves.toBeDefined()
})

test('whatever the output and its chunks, both formats keep every byte and say what was cut', async () => {
  const program = await compile('log_split_test.c', [...logSources, 'runtime/lib/error.c'])
  await expect(run(program, [await mkdtemp(join(directory, 'log-'))])).resolves.toBeDefined()
})

async function compile(name: string, sources: readonly string[]): Promise<string> {
  const program = join(directory, name.replace('.c', ''))
  const includes = ['shim', 'runtime/lib', 'test/native/shim'].flatMap((folder) => ['-iquote', folder])
  const checks = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']
  const flags = ['-std=gnu17', '-g', '-O1', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', ...checks, ...includes]
  await run('gcc', [...flags, '-o', program, `test/native/shim/${name}`, ...sources], { cwd: root })
  return program
}

function golden(name: string): string {
  return join(root, 'test/golden/shim', `${name}.hex`)
}
