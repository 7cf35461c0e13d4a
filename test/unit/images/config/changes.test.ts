import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { applyChanges } from '#images/config/changes.ts'
import { toDockerConfig } from '#images/config/docker-config.ts'

interface Recorded {
  readonly changes: readonly string[]
  readonly config?: object
  readonly error?: string
}

const golden = join(import.meta.dirname, '../../../golden/engine-api/dockerd-28.5-changes.jsonl')
const recorded = readFileSync(golden, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Recorded)

test.each(recorded.map((one) => [one.changes, one] as const))('%j makes what dockerd makes of it', (changes, one) => {
  const { config, error } = one
  if (error === undefined) expect(filled(toDockerConfig(applyChanges({}, changes)))).toEqual(config)
  else expect(() => applyChanges({}, changes)).toThrow(error.replace('Error response from daemon: ', ''))
})

/** Without what is empty, as the record has it. */
function filled(config: object): object {
  const isEmpty = (value: unknown) =>
    value === null || value === '' || value === false || (typeof value === 'object' && Object.keys(value).length === 0)
  return Object.fromEntries(Object.entries(config).filter(([, value]) => !isEmpty(value)))
}

test('changes build on what the config has', () => {
  const base = {
    Env: ['PATH=/bin', 'a=1'],
    Cmd: ['sh'],
    Labels: { x: 'y' },
    WorkingDir: '/srv',
    Shell: ['/bin/ash', '-c'],
  }
  expect(applyChanges(base, ['ENV a=2 b=$PATH\nLABEL z=1', 'WORKDIR app', 'ENTRYPOINT run it'])).toEqual({
    Env: ['PATH=/bin', 'a=2', 'b=/bin'],
    Labels: { x: 'y', z: '1' },
    WorkingDir: '/srv/app',
    Shell: ['/bin/ash', '-c'],
    Entrypoint: ['/bin/ash', '-c', 'run it'],
  })
  expect(applyChanges(base, ['CMD ["x"]\nENTRYPOINT []']).Cmd).toEqual(['x'])
  expect(applyChanges(base, [])).toBe(base)
})
