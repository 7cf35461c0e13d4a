import { expect, test } from 'vitest'
import { storageLimit } from '#containers/storage-size.ts'

const host = { defaultSizeBytes: 0, canLimit: true }
const refused = (message: string) => expect.objectContaining({ kind: 'internal', message })

test.each([
  [{}, 0, undefined],
  [{}, 5000, 5000],
  [{ size: '8m' }, 5000, 8 << 20],
  [{ Size: '1G' }, 0, 2 ** 30],
  [{ size: '0' }, 5000, undefined],
])('%j beside a default of %i is a limit of %s bytes', (options, defaultSizeBytes, limit) => {
  expect(storageLimit(options, { ...host, defaultSizeBytes })).toBe(limit)
})

test.each([
  [{ size: 'abc' }, "invalid size: 'abc'"],
  [{ size: '-1' }, "invalid size: '-1'"],
  [{ size: '' }, "invalid size: ''"],
  [{ size: '9000000p' }, "invalid size: '9000000p'"],
  [{ Inodes: '5' }, 'Unknown option inodes'],
])('%j is refused in the words of Docker', (options, message) => {
  expect(() => storageLimit(options, host)).toThrow(refused(message))
})

test('without project quotas a size is refused in the words of Docker, whatever it is', () => {
  const words = expect.stringMatching(
    /^--storage-opt is supported only for overlay over xfs with 'pquota' mount option/,
  )
  for (const size of ['1G', 'abc']) {
    expect(() => storageLimit({ size }, { ...host, canLimit: false })).toThrow(refused(words))
  }
  expect(() => storageLimit({ foo: '1' }, { ...host, canLimit: false })).toThrow(refused('Unknown option foo'))
})
