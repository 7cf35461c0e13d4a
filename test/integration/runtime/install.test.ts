/** `berth runtime` and `berth runtime --install`. */
import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { tempDirectory } from '../../support/temp.ts'

const execute = promisify(execFile)
const main = join(import.meta.dirname, '..', '..', '..', 'src/main.ts')
const berth = (...args: readonly string[]) => execute(process.execPath, [main, ...args])

test('berth runtime is the OCI command', async () => {
  expect(JSON.parse((await berth('runtime', 'features')).stdout)).toMatchObject({ ociVersionMax: '1.3.0' })
  await expect(berth('runtime', '--root', '/nonexistent', 'state', 'nobody')).rejects.toMatchObject({
    code: 1,
    stderr: "berth-runtime: container does not exist: 'nobody'\n",
  })
})

test('it is installed under its own name into a directory, or as a file, in place of an older one', async () => {
  await using directory = await tempDirectory()
  for (const path of [directory.path, join(directory.path, 'other'), join(directory.path, 'other')]) {
    const { stdout } = await berth('runtime', '--install', path)
    const target = stdout.trim()
    expect((await stat(target)).mode & 0o777).toBe(0o755)
    expect((await execute(target, ['--version'])).stdout).toMatch(/^berth-runtime version \d/)
  }
  expect(await readdir(directory.path)).toEqual(['berth-runtime', 'other'])
})

test('a place that cannot be written is named, and nothing is left', async () => {
  await using directory = await tempDirectory()
  await expect(berth('runtime', '--install', join(directory.path, 'missing', 'x'))).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^berth runtime --install: .*missing/),
  })
  await expect(berth('runtime', '--install')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('PATH'),
  })
  expect(await readdir(directory.path)).toEqual([])
})
