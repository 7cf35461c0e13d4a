import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startDaemon } from '#test/support/daemon.ts'

test('docker-py does its whole range', async () => {
  await using daemon = await startDaemon()
  const { code, stdout, stderr } = await daemon.run([
    '/usr/bin/python3',
    '-B',
    join(import.meta.dirname, 'docker_py.py'),
  ])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^(ok test_\w+\n){14}$/)
})
