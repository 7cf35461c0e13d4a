import { expect, test } from 'vitest'
import { parseMountInfo } from '#containers/mounts/propagation.ts'

test('mounts of the host are read with the groups that they are in', () => {
  const text = `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:5 / /with\\040space rw shared:1 master:2 - tmpfs tmpfs rw
`
  expect(parseMountInfo(text)).toEqual([
    { point: '/', tags: [] },
    { point: '/with space', tags: ['shared:1', 'master:2'] },
  ])
})
