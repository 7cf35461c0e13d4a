/** A short run of every fuzzer, from the seeds in the tree and always the same; the long one is `npm run soak -- fuzz`. */
import { execFile } from 'node:child_process'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { buildSanitized, fuzzArguments, fuzzTargets } from '#test/support/sanitized.ts'
import { tempDirectory } from '#test/support/temp.ts'

const execute = promisify(execFile)

beforeAll(async () => {
  await buildSanitized(...fuzzTargets.map(({ name }) => `${name}_fuzz`))
})

test.each(fuzzTargets)(
  '$name: hostile input is read or refused with a sentence, and never beyond its ends',
  async (target) => {
    await using directory = await tempDirectory()
    const found = join(directory.path, 'found')
    await mkdir(found)
    const [program = ''] = await buildSanitized(`${target.name}_fuzz`)
    const run = execute(program, fuzzArguments(target, 1, found), { cwd: directory.path, maxBuffer: 64 << 20 })
    await expect(run.catch((error: { stderr: string }) => error.stderr.slice(-6000))).resolves.toMatchObject({
      stdout: '',
    })
    expect((await readdir(target.seeds)).length).toBeGreaterThan(0)
    expect((await readdir(found)).length, 'new paths were found').toBeGreaterThan(0)
  },
)
