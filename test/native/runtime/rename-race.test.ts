/** Containers while all that they lead through is exchanged; `npm run soak -- rename-race` is the same for minutes. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RenameRace } from './rename-race.ts'

let race: RenameRace
let created = 0
let refused = 0

beforeAll(async () => {
  race = await RenameRace.open()
})

afterAll(async () => {
  await race[Symbol.asyncDispose]()
})

test.each([1, 2, 4, 5])(
  'whatever is renamed while containers are made, none reaches the host or leaves a thing (seed %i)',
  async (seed) => {
    const slice = await race.slice(seed, 40)
    created += slice.created
    refused += slice.refused
  },
)

test('and both happens: containers run, and containers are refused', () => {
  expect(created).toBeGreaterThan(20)
  expect(refused).toBeGreaterThan(20)
})
