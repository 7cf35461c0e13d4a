import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeBindSource } from '#containers/bind-source.ts'
import { tempDirectory } from '#test/support/temp.ts'

test('a missing host directory is made with its parents, by several at once', async () => {
  await using directory = await tempDirectory()
  const path = join(directory.path, 'a/b/c')
  await Promise.all([makeBindSource(path), makeBindSource(path), makeBindSource(join(directory.path, 'a/b/d'))])
  expect((await stat(path)).isDirectory()).toBe(true)
})

test('what is there is taken as it is', async () => {
  await using directory = await tempDirectory()
  const file = join(directory.path, 'file')
  await writeFile(file, 'content')
  await makeBindSource(file)
  expect((await stat(file)).isFile()).toBe(true)
})

test('a directory that cannot be made is refused in words, and not tried for ever', async () => {
  await expect(makeBindSource('/proc/none/inside')).rejects.toThrow(
    "error while creating mount source path '/proc/none/inside': mkdir /proc/none: no such file or directory",
  )
})
