import { expectTypeOf, test } from 'vitest'
import type * as ports from '#containers/ports.ts'
import type { ShimLauncher } from '#shim/launch.ts'
import type { Shim } from '#shim/shim.ts'

test('the shim is what the container layer asks for', () => {
  expectTypeOf<ShimLauncher>().toExtend<ports.ShimLauncher>()
  expectTypeOf<Shim>().toExtend<ports.ShimHandle>()
})
