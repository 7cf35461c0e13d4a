import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openIdMaps } from '#engine/userns-remap.ts'

let etc: string

beforeEach(() => {
  etc = mkdtempSync(join(tmpdir(), 'berth-etc-'))
  write('passwd', 'root:x:0:0::/root:/bin/sh\nann:x:1000:1001::/:/bin/sh\nbob:x:1002:1002::/:/bin/sh')
  write('group', 'root:x:0:\nann:x:1001:\nstaff:x:50:')
  write('subuid', '# comment\n\nann:200000:1000\nbob:300000:65536\n1000:100000:65536')
  write('subgid', 'ann:400000:65536\n50:500000:10')
})
afterEach(() => rmSync(etc, { recursive: true, force: true }))

function write(name: string, content: string): void {
  writeFileSync(join(etc, name), content)
}

test('ranges by name and by number are put one after the other', async () => {
  const uids = [
    { containerID: 0, hostID: 100_000, size: 65_536 },
    { containerID: 65_536, hostID: 200_000, size: 1000 },
  ]
  const gids = [{ containerID: 0, hostID: 400_000, size: 65_536 }]
  expect(await openIdMaps('ann', { etc })).toEqual({ uids, gids })
  expect(await openIdMaps('1000', { etc })).toEqual({ uids, gids })
  expect(await openIdMaps('1000:staff', { etc })).toEqual({
    uids,
    gids: [{ containerID: 0, hostID: 500_000, size: 10 }],
  })
})

test('nothing said, or root, means no remapping', async () => {
  expect(await openIdMaps(undefined, { etc })).toBeUndefined()
  expect(await openIdMaps('', { etc })).toBeUndefined()
  expect(await openIdMaps('root', { etc })).toBeUndefined()
})

test.each([
  ['a:b:c', 'invalid user/group specification in --userns-remap: "a:b:c"'],
  [':staff', 'invalid user/group specification'],
  ['eve', 'there is no user "eve" in'],
  ['ann:eve', 'there is no group "eve" in'],
  ['bob', 'there is no group "bob" in'],
  ['bob:root', 'no subordinate ids are given to "root" in'],
])('%s is refused', async (setting, words) => {
  await expect(openIdMaps(setting, { etc })).rejects.toThrow(words)
})

test('a damaged file is named', async () => {
  write('subgid', 'ann:1:2\nann:-1:65536')
  await expect(openIdMaps('ann', { etc })).rejects.toThrow('subgid: entry 2 is not "user:first id:count"')
  rmSync(join(etc, 'subuid'))
  await expect(openIdMaps('ann', { etc })).rejects.toThrow('--userns-remap needs')
})
