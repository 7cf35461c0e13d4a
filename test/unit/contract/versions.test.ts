import { expect, test } from 'vitest'
import { formatVersion, newestVersion, oldestVersion, parseVersion, since, versionOf } from '#contract/versions.ts'

test('1.24 to 1.51 are served, and 1.9 is older than 1.41', () => {
  expect([formatVersion(oldestVersion), formatVersion(newestVersion)]).toEqual(['1.24', '1.51'])
  expect(parseVersion('1.41')).toBe(versionOf(1, 41))
  expect(versionOf(1, 9) < versionOf(1, 41)).toBe(true)
  expect(parseVersion('1.42') >= since.multiplexedType).toBe(true)
})

test.each([
  ['9.9', 'client version 9.9 is too new. Maximum supported API version is 1.51'],
  ['1.52', 'client version 1.52 is too new. Maximum supported API version is 1.51'],
  [
    '1.12',
    'client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
  ],
])('version %s is refused in the words of Docker', (text, message) => {
  expect(() => parseVersion(text)).toThrow(expect.objectContaining({ kind: 'invalid', message }))
})
