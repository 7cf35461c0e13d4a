import { expect, test } from 'vitest'
import { runNativeTest } from '#test/support/native-program.ts'
import { buildSanitized } from '#test/support/sanitized.ts'

test.each([
  ['signals, freezer, counters, memory events and removal', 'cgroup_test', 100],
  ['limits and devices', 'cgroup_limits_test', 300],
])('%s work on the cgroups of this host', async (_, name, checks) => {
  const [program = ''] = await buildSanitized(name)
  const { failures, passed } = await runNativeTest([program], 120_000)
  expect(failures).toEqual([])
  expect(passed).toBeGreaterThan(checks)
})
