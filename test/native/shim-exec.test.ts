/** Many execs in one container; `npm run soak -- shim-exec` is the same with more of them. */
import { expect, test } from 'vitest'
import { checkFlat, soakExecs } from './shim/exec-soak.ts'

test('after 2,000 execs of all kinds the shim has what it had after the first 500', async () => {
  const slices = await soakExecs({ count: 2_000, seed: 7, slice: 500 })
  expect(slices.map(({ execs }) => execs)).toEqual([500, 1_000, 1_500, 2_000])
  checkFlat(slices)
})
