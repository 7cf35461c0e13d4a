/** On a filesystem without project quotas, as temporary directories are on; with them: test/integration/image/project-quotas.test.ts. */
import { execFile } from 'node:child_process'
import { expect, test } from 'vitest'
import { busybox, startDaemon } from '../../support/daemon.ts'
import { tempDirectory } from '../../support/temp.ts'

test('a size that nothing would hold to is refused, and nothing is made', async () => {
  await using daemon = await startDaemon()
  const { code, stderr } = await daemon.docker('run', '--storage-opt', 'size=1G', busybox, 'true')
  expect(code).toBe(125)
  expect(stderr).toContain(
    "Error response from daemon: --storage-opt is supported only for overlay over xfs with 'pquota' mount option",
  )
  const request = { Image: busybox, HostConfig: { StorageOpt: { foo: '1' } } }
  const answer = await daemon.request('POST', '/containers/create', request)
  expect(answer).toMatchObject({ status: 500, body: '{"message":"Unknown option foo"}\n' })
  expect(await daemon.json('GET', '/containers/json?all=1')).toEqual([])
  const { Id } = await daemon.json('POST', '/containers/create', { Image: busybox, HostConfig: { StorageOpt: {} } })
  const { HostConfig } = await daemon.json('GET', `/containers/${Id}/json`)
  expect(HostConfig).not.toHaveProperty('StorageOpt')
})

test('a daemon that could not hold its containers to a size does not start', async () => {
  await using directory = await tempDirectory()
  const at = (name: string) => `${directory.path}/${name}`
  const args = ['--data-root', at('data'), '--exec-root', at('exec'), '-H', `unix://${at('socket')}`]
  const daemon = ['src/main.ts', 'daemon', ...args, '--storage-opt', 'overlay2.size=10G']
  const { promise, resolve } = Promise.withResolvers<{ code: unknown; stderr: string }>()
  execFile(process.execPath, daemon, { timeout: 60_000 }, (error, _, stderr) => resolve({ code: error?.code, stderr }))
  const { code, stderr } = await promise
  expect(code).toBe(1)
  expect(stderr).toContain('Storage option overlay2.size not supported. Filesystem does not support Project Quota')
})
