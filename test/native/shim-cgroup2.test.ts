import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

test('limits, lack of memory, exec, pause and kill work the same where only cgroup v2 is', async () => {
  const machine = join(root, 'test/support/cgroup2-vm')
  const driver = join(root, 'test/native/shim/cgroup2-driver.ts')
  const args = ['--timeout', '240', 'sh', '-c', `cd '${root}' && exec '${process.execPath}' '${driver}'`]
  const { promise, resolve } = Promise.withResolvers<string>()
  execFile(machine, args, { timeout: 280_000 }, (_, stdout, stderr) => resolve(stdout + stderr))
  const output = await promise
  const result = output.split('\n').find((line) => line.startsWith('{'))
  expect(JSON.parse(result ?? '{}'), output).toEqual({
    code: 9,
    seen: '0::/\n',
    shimGroup: '0::/berth/shims\n',
    left: [],
    told: true,
    oomKilled: true,
    execGroup: '0::/\n',
    paused: true,
    signal: 9,
    beside: '0::/berth/ID/init\n',
    besideLeft: [],
    reported: [],
  })
})
