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
