import { expect, test } from 'vitest'
import { runPullStorm } from '../../soak/pull-storm.ts'

test('fifty at a time, pulls, removals, prunes and commits leave exactly what the listed images need', {
  timeout: 120_000,
}, async () => {
  const report = await runPullStorm({ seconds: 20, seed: 4 })
  expect(report.firstFetches).toBe(report.layers)
  expect(report).toMatchObject({ inexact: [], findings: [], summary: { problems: 0 } })
  expect(report.left).toEqual({ blobs: 0, ingests: 0, snapshots: 0, directories: 0 })
  for (const done of [report.pulls, report.removals, report.prunes, report.commits]) expect(done).toBeGreaterThan(10)
})
