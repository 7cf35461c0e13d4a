import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildNativeTest, runNativeTest } from '#test/support/native-program.ts'

const machine = join(import.meta.dirname, '..', 'support', 'cgroup2-vm')

test.each([
  ['signals, freezer, counters, memory events and removal', 'cgroup_test', 60],
  ['limits and devices', 'cgroup_limits_test', 200],
])('%s work on a host with nothing but cgroup v2', async (_, name, checks) => {
  const program = await buildNativeTest(name)
  const { failures, passed, output } = await runNativeTest([machine, '--timeout', '120', program], 280_000)
  expect(failures).toEqual([])
  expect(output).toContain('# v2 /sys/fs/cgroup: ')
  expect(output).not.toContain('# v1 ')
  expect(passed).toBeGreaterThan(checks)
})
