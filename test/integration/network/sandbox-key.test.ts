import { readlink } from 'node:fs/promises'
import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

interface Sandbox {
  readonly SandboxID: string
  readonly SandboxKey: string
}

async function sandboxOf(container: string): Promise<Sandbox> {
  const { NetworkSettings } = await daemon.json('GET', `/containers/${container}/json`)
  const { SandboxID, SandboxKey } = NetworkSettings as Sandbox
  return { SandboxID, SandboxKey }
}

const addressBy = async (key: string) =>
  (await daemon.run(['nsenter', `--net=${key}`, 'ip', '-o', '-4', 'address', 'show', 'dev', 'eth0'])).stdout
const none = { SandboxID: '', SandboxKey: '' }

test('a container’s network stack can be entered by its key, also when another daemon serves it', async () => {
  const id = await daemon.runDetached(busybox, 'sleep', '1000')
  const before = await sandboxOf(id)
  expect(before.SandboxID).toMatch(/^[0-9a-f]{64}$/)
  const { stdout: address } = await daemon.docker('exec', id, 'hostname', '-i')
  expect(await addressBy(before.SandboxKey)).toContain(` ${address.trim()}/`)

  await daemon.kill9()
  await daemon.start()
  expect(await sandboxOf(id)).toEqual(before)
  expect(await addressBy(before.SandboxKey)).toContain(` ${address.trim()}/`)

  await daemon.docker('restart', '-t', '0', id)
  const after = await sandboxOf(id)
  expect(after.SandboxID).not.toBe(before.SandboxID)
  expect(await addressBy(after.SandboxKey)).toContain('inet ')

  await daemon.docker('stop', '-t', '0', id)
  expect(await sandboxOf(id)).toEqual(none)
  await expect(readlink(after.SandboxKey)).rejects.toThrow()
})

test('the host’s stack is the key of a container that has no other, and who joins a container shows none', async () => {
  const own = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  const host = await daemon.runDetached('--network', 'host', busybox, 'sleep', '1000')
  const guest = await daemon.runDetached('--network', `container:${own}`, busybox, 'sleep', '1000')
  const inside = (container: string) => daemon.docker('exec', container, 'readlink', '/proc/self/ns/net')
  for (const container of [own, host]) {
    const { SandboxKey } = await sandboxOf(container)
    expect(`${await readlink(SandboxKey)}\n`).toBe((await inside(container)).stdout)
  }
  expect(await sandboxOf(guest)).toEqual(none)
})
