import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parseHostConfig } from '#api/parse/host-config.ts'
import { toPlainMount } from '#containers/mounts/plain-mount.ts'
import { parseMountInfo, settlePropagation } from '#containers/mounts/propagation.ts'

test('mounts of the host are read with the groups that they are in', () => {
  const text = `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:5 / /with\\040space rw shared:1 master:2 - tmpfs tmpfs rw
`
  expect(parseMountInfo(text)).toEqual([
    { point: '/', tags: [] },
    { point: '/with space', tags: ['shared:1', 'master:2'] },
  ])
})

test('a propagation that nobody asked for gives way where the source cannot have it; one that was asked for is an error', async () => {
  const [asked] = parseHostConfig({ Binds: ['/proc/self:/x:rslave'] }).mounts.map(toPlainMount)
  if (!asked) throw new TypeError('no mount')
  const mounts = parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'))
  const proc = mounts.findLast(({ point }) => point === '/proc')
  const isPrivate = !proc?.tags.some((tag) => /^(shared|master):/.test(tag))
  const byDefault = { ...asked, propagationIsDefault: true }
  expect(await settlePropagation([byDefault])).toEqual([{ ...byDefault, propagation: isPrivate ? '' : 'rslave' }])
  if (isPrivate) await expect(settlePropagation([asked])).rejects.toThrow('it is not a shared or slave mount')
})
