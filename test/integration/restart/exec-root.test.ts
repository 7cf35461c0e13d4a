import { chmod, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'

const mainProgram = join(import.meta.dirname, '../../../src/main.ts')

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
})
afterAll(() => daemon[Symbol.asyncDispose]())

/** A daemon with the same exec root, but another data root, that is expected to end at once. */
function startStranger() {
  const dataRoot = join(daemon.directory, 'other-data')
  const roots = ['--data-root', dataRoot, '--exec-root', daemon.execRoot]
  return daemon.run([
    ...daemon.enter,
    ...['timeout', '20', process.execPath, mainProgram, 'daemon', '-H', `unix://${daemon.socket}2`],
    ...roots,
  ])
}

test('a daemon with another data root ends no containers of the daemon whose exec root it shares', async () => {
  const id = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  const beside = await startStranger()
  expect(beside.stderr).toContain(`another daemon is running with the exec root ${daemon.execRoot}`)
  expect(beside.code).toBe(1)
  await daemon.stop()
  const after = await startStranger()
  expect(after.stderr).toContain(`the exec root ${daemon.execRoot} has containers of the data root ${daemon.dataRoot}`)
  expect(after.code).toBe(1)
  await daemon.start()
  expect((await daemon.docker('inspect', '-f', '{{.State.Running}}', id)).stdout).toBe('true\n')
  await daemon.docker('rm', '-f', id)
})

test('what is left of a data root that is gone keeps no other one from the exec root', async () => {
  const id = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  await daemon.stop()
  const hidden = `${daemon.dataRoot}.hidden`
  await rename(daemon.dataRoot, hidden)
  await daemon.start()
  expect((await daemon.request('GET', `/containers/${id}/json`)).status).toBe(404)
  await daemon.stop()
  await rm(daemon.dataRoot, { recursive: true })
  await rename(hidden, daemon.dataRoot)
  await daemon.start()
  expect((await daemon.docker('inspect', '-f', '{{.State.Status}}', id)).stdout).toBe('exited\n')
})

test('the group of a socket in the exec root can reach it, and sees nothing else there', async () => {
  await chmod(daemon.execRoot, 0o700)
  await daemon.restart()
  expect((await stat(daemon.execRoot)).mode & 0o777).toBe(0o711)
  expect((await stat(join(daemon.execRoot, 'shims'))).mode & 0o777).toBe(0o700)
})
