import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { removeEmptySharedGroups } from '#engine/shared-groups.ts'
import { tempDirectory } from '#test/support/temp.ts'

test('shared groups go where they are empty and stay where somebody is in them', async () => {
  await using directory = await tempDirectory()
  const mounts = ['empty', 'used', 'without'].map((name) => join(directory.path, name))
  await mkdir(join(directory.path, 'empty/berth/shims'), { recursive: true })
  await mkdir(join(directory.path, 'used/berth/container'), { recursive: true })
  await mkdir(join(directory.path, 'without'))
  const hierarchies = mounts.map((mount) => ({ mount, controllers: [], unified: false }))
  await removeEmptySharedGroups({ version: 1, controllers: {}, hierarchies })
  expect(existsSync(join(directory.path, 'empty/berth'))).toBe(false)
  expect(existsSync(join(directory.path, 'used/berth/container'))).toBe(true)
})
