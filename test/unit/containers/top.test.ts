import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pidsBelow } from '#containers/top.ts'
import { tempDirectory } from '#test/support/temp.ts'

test('the processes of a group are those of the groups in it, too', async () => {
  await using directory = await tempDirectory('berth-top-')
  await mkdir(join(directory.path, 'inner'))
  await writeFile(join(directory.path, 'cgroup.procs'), '1\n2\n')
  await writeFile(join(directory.path, 'inner/cgroup.procs'), '3\n')
  expect(await pidsBelow(directory.path)).toEqual([1, 2, 3])
})

test('a group that is gone by now, or is going, has none', async () => {
  await using directory = await tempDirectory('berth-top-')
  await mkdir(join(directory.path, 'going'))
  await writeFile(join(directory.path, 'cgroup.procs'), '1\n')
  expect(await pidsBelow(directory.path)).toEqual([1])
  expect(await pidsBelow(join(directory.path, 'gone'))).toEqual([])
})
