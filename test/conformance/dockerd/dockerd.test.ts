/** What dockerd answered, recorded by `npm run compare:dockerd`, is what we answer. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Difference, differencesOf } from './difference.ts'
import { startOurs } from './engines.ts'
import { explained, isExplainedBy } from './explained.ts'
import { readGolden } from './goldens.ts'
import { play, versions } from './play.ts'
import { scripts } from './scripts/all.ts'

let engine: Awaited<ReturnType<typeof startOurs>>
beforeAll(async () => {
  engine = await startOurs()
})
afterAll(() => engine[Symbol.asyncDispose]())

const met: Difference[] = []
let requests = 0
const all = versions.flatMap((version) => scripts.map((script) => ({ name: script.name, script, version })))

test.each(all)('$name at $version is answered as by dockerd', async ({ script, version }) => {
  const golden = readGolden(script.name, version)
  const differences = differencesOf(await play(engine, script, version), golden)
  requests += golden.length
  met.push(...differences)
  expect(differences.filter((one) => !explained.some((row) => isExplainedBy(row, one)))).toEqual([])
})

test('the explained differences are few and are still there', () => {
  expect(explained.length).toBeLessThanOrEqual(15)
  expect(explained.filter((row) => !met.some((one) => isExplainedBy(row, one)))).toEqual([])
  expect(requests).toBeGreaterThanOrEqual(400)
})
