/** An error case for each operation: of what is asked of dockerd, at least one request is refused. */
import { expect, test } from 'vitest'
import { operations } from '../../soak/api/operations.ts'
import { readGolden } from './goldens.ts'
import { versions } from './play.ts'
import { scripts } from './scripts/all.ts'

/** Ours alone, and what is not served yet: dockerd's answers say nothing of them. */
const without: readonly string[] = [
  'POST /x/system/check',
  'POST /build',
  'POST /build/cancel',
  'POST /session',
  'POST /grpc',
]

const refused = scripts
  .flatMap(({ name }) => versions.flatMap((version) => readGolden(name, version)))
  .filter(({ status }) => status >= 400)
  .map(({ request }) => request)

test.each(
  operations
    .filter(({ key }) => !without.includes(key))
    .map(({ key, method, template }) => ({ key, method, template })),
)('$key is asked for what it refuses', ({ method, template }) => {
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === 'name' ? '.+' : '[^/]+'))
  const pattern = new RegExp(`^${method} (/v[0-9.]+)?${path}(\\?|$)`)
  expect(refused.filter((request) => pattern.test(request))).not.toEqual([])
})

test('what is left out is described', () => {
  expect(without.filter((key) => !operations.some((one) => one.key === key))).toEqual([])
})
