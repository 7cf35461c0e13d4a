import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { openLogFiles } from '#containers/logs/log-files.ts'
import { tempDirectory } from '#test/support/temp.ts'

/** Fills the log and rotates it, as often as told, five times in a row as fast as it can. */
const rotate = `
const { renameSync, writeFileSync } = require('node:fs')
const [path, times] = process.argv.slice(1)
for (let n = 0; n < Number(times); n += 1) {
  for (let number = n - 1; number > 0; number -= 1) renameSync(path + '.' + number, path + '.' + (number + 1))
  if (n > 0) renameSync(path, path + '.1')
  writeFileSync(path + '.new', 'x'.repeat(n + 1))
  renameSync(path + '.new', path)
  if (n % 5 === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
}`

test('a look that rotations overtake finds all files that there were, in their order', async () => {
  await using directory = await tempDirectory()
  const path = join(directory.path, 'x.log')
  const rotating = promisify(execFile)(process.execPath, ['-e', rotate, path, '100'])
  let isOver = false
  const ended = rotating.finally(() => {
    isOver = true
  })
  let looks = 0
  for (; !isOver; looks += 1) {
    await using opened = new AsyncDisposableStack()
    const files = await openLogFiles(path)
    for (const file of files) opened.use(file)
    const sizes: number[] = []
    for (const file of files) sizes.push((await (await file.content()).stat()).size)
    expect(sizes).toEqual(Array.from({ length: sizes.length }, (_, index) => index + 1))
  }
  await ended
  expect(looks).toBeGreaterThan(0)
})
