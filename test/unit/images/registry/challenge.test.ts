import { expect, test } from 'vitest'
import { parseChallenges } from '#images/registry/challenge.ts'

test.each([
  ['Basic realm="x"', [{ scheme: 'basic', parameters: { realm: 'x' } }]],
  [
    'Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull,push"',
    [
      {
        scheme: 'bearer',
        parameters: { realm: 'https://auth.example/token', service: 'registry', scope: 'repository:a/b:pull,push' },
      },
    ],
  ],
  [
    'Negotiate, Basic realm=plain, Bearer realm="a \\"quoted\\" one", error = "invalid_token"',
    [
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'basic', parameters: { realm: 'plain' } },
      { scheme: 'bearer', parameters: { realm: 'a "quoted" one', error: 'invalid_token' } },
    ],
  ],
  ['', []],
  [', ,', []],
  ['="x"', []],
  ['Bearer realm="never closed', [{ scheme: 'bearer', parameters: {} }]],
])('reads %s', (header, challenges) => {
  expect(parseChallenges(header)).toEqual(challenges)
})

test('a header of a megabyte is read in no time', () => {
  const started = performance.now()
  parseChallenges(`Bearer ${'a="\\'.repeat(250_000)}`)
  parseChallenges(' ,'.repeat(500_000))
  expect(performance.now() - started).toBeLessThan(1000)
})

test('whatever a server writes is read or ends the list', () => {
  const pieces = ['Bearer ', 'realm', '=', '"', '\\', ',', ' ', 'a', '\u00e9', '"https://x/y"', 'scope="a:b:pull,push"']
  let state = 1
  const random = (below: number) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39) >>> 0
    return state % below
  }
  for (let round = 0; round < 500; round += 1) {
    const header = Array.from({ length: random(3000) }, () => pieces[random(pieces.length)]).join('')
    for (const { scheme, parameters } of parseChallenges(header)) {
      expect(scheme).toBe(scheme.toLowerCase())
      expect(Object.values(parameters).every((value) => typeof value === 'string')).toBe(true)
    }
  }
})
