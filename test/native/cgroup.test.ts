import { expect, test } from 'vitest'
import { buildNativeTest, runNativeTest } from '#test/support/native-program.ts'

test('limits, devices, signals, freezer, memory events and removal work on the cgroups of this host', async () => {
  const program = await buildNativeTest('cgroup_test')
  const { failures, passed } = await runNativeTest([program], 120_000)
  expect(failures).toEqual([])
  expect(passed).toBeGreaterThan(80)
})
