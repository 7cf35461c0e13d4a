/** Plans and the JSON they come from, compiled with AddressSanitizer and UndefinedBehaviorSanitizer. */
import { expect, test } from 'vitest'
import { runNativeTest } from '#test/support/native-program.ts'
import { buildSanitized } from '#test/support/sanitized.ts'

test('plans say what the documents say, and damaged ones are refused', async () => {
  const [program = ''] = await buildSanitized('plan_test')
  const { failures, passed } = await runNativeTest([program], 120_000)
  expect(failures).toEqual([])
  expect(passed).toBeGreaterThan(30)
})
