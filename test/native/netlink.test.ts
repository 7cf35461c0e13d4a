import { expect, test } from 'vitest'
import { runNativeTest } from '#test/support/native-program.ts'
import { buildSanitized } from '#test/support/sanitized.ts'

test('links, addresses and routes are made across network namespaces', async () => {
  const [program = ''] = await buildSanitized('netlink_test')
  const { failures, passed } = await runNativeTest([program], 60_000)
  expect(failures).toEqual([])
  expect(passed).toBeGreaterThan(40)
})
