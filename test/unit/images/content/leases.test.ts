import { expect, test } from 'vitest'
import { Leases } from '#images/content/leases.ts'

test('a key is held as long as one lease holds it', () => {
  const leases = new Leases()
  const first = leases.open()
  const second = leases.open()
  first.hold('a')
  first.hold('a')
  second.hold('a')
  first[Symbol.dispose]()
  expect(leases.has('a')).toBe(true)
  second[Symbol.dispose]()
  second[Symbol.dispose]()
  expect(leases.has('a')).toBe(false)
})

test('a lease tells what it holds in order', () => {
  const lease = new Leases().open()
  for (const key of ['b', 'a', 'b']) lease.hold(key)
  expect(lease.keys).toEqual(['b', 'a'])
})
