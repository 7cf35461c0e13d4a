import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mutants, mutate } from '#test/mutants/mutants.ts'

const root = join(import.meta.dirname, '..', '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

// `npm run test:mutants` builds them and shows that the tests fail there.
test.each(mutants)(
  '$lesson ($naive) can still be written into the sources, and names tests that are there',
  (mutant) => {
    expect(mutate(read(mutant.file), mutant)).not.toBe(read(mutant.file))
    expect(read(mutant.test)).toContain(mutant.pattern.replace('seccomp:', '$name:'))
  },
)
