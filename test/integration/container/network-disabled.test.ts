import { expect, test } from 'vitest'
import { busybox, startDaemon } from '../../support/daemon.ts'

test('a container whose network is disabled has its own loopback and nothing else', async () => {
  await using daemon = await startDaemon()
  const { Id } = await daemon.json('POST', '/containers/create', {
    Image: busybox,
    Cmd: ['ls', '/sys/class/net'],
    NetworkDisabled: true,
  })
  await daemon.json('POST', `/containers/${Id}/start`)
  await daemon.json('POST', `/containers/${Id}/wait`)
  expect((await daemon.docker('logs', String(Id))).stdout).toBe('lo\n')
})
