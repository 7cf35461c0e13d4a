import { existsSync, openSync } from 'node:fs'
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDataRoot } from '#engine/data-root.ts'
import type { LockTaker } from '#engine/exec-root.ts'
import { openDatabase } from '#state/database.ts'
import { tempDirectory } from '#test/support/temp.ts'

/** Locks that hold within this process, which those of the kernel do not. */
function locks(): LockTaker & { release(): void } {
  const taken = new Set<string>()
  return {
    takeLock(path) {
      if (taken.has(path)) return undefined
      taken.add(path)
      return openSync(path, 'w')
    },
    release: () => taken.clear(),
  }
}

test('a data root whose database is lost is refused instead of being emptied', async () => {
  await using directory = await tempDirectory()
  const path = join(directory.path, 'data')
  const taker = locks()
  {
    using root = await openDataRoot(path, join(directory.path, 'exec'), taker)
    await openDatabase(root.database)[Symbol.asyncDispose]()
    await mkdir(join(root.containers, 'f'.repeat(64)))
  }
  taker.release()
  await truncate(join(path, 'state.db'))
  await expect(openDataRoot(path, join(directory.path, 'exec'), taker)).rejects.toThrow(
    `${join(path, 'state.db')} is missing or empty, but ${join(path, 'containers')} is not`,
  )
  expect(existsSync(join(path, 'containers', 'f'.repeat(64)))).toBe(true)
})

test('files that a killed daemon had not put in place yet are removed', async () => {
  await using directory = await tempDirectory()
  const path = join(directory.path, 'data')
  await mkdir(join(path, 'content'), { recursive: true })
  const left = [join(path, '.format.json.0123456789ab'), join(path, 'content', '.blob.0123456789ab')]
  for (const file of left) await writeFile(file, '')
  await writeFile(join(path, '.keep'), 'of somebody else')
  using _root = await openDataRoot(path, join(directory.path, 'exec'), locks())
  expect(left.filter((file) => existsSync(file))).toEqual([])
  expect(await readFile(join(path, '.keep'), 'utf8')).toBe('of somebody else')
})

test('what an earlier release kept and nothing reads is removed', async () => {
  await using directory = await tempDirectory()
  const path = join(directory.path, 'data')
  await mkdir(join(path, 'seccomp'), { recursive: true })
  await writeFile(join(path, 'seccomp', `${'0'.repeat(64)}.bpf`), '')
  using _root = await openDataRoot(path, join(directory.path, 'exec'), locks())
  expect(existsSync(join(path, 'seccomp'))).toBe(false)
})
