import { expect, test } from 'vitest'
import { mayShowCredentials } from '#images/registry/transport.ts'

test.each([
  ['https://registry.lan/v2/', 'https://registry.lan/other', true],
  ['http://registry.lan/v2/', 'http://registry.lan/other', true],
  ['http://registry.lan/v2/', 'https://registry.lan/v2/', true],
  ['https://registry.lan/v2/', 'http://registry.lan/v2/', false],
  ['https://registry.lan/v2/', 'https://registry.lan:8443/v2/', false],
  ['https://registry.lan/v2/', 'https://registry.lan.evil/v2/', false],
  ['https://registry.lan/v2/', 'https://evil@registry.lan./v2/', false],
])('of %s sent on to %s credentials go along: %s', (from, to, shown) => {
  expect(mayShowCredentials(new URL(from), new URL(to))).toBe(shown)
})
