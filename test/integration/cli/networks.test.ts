import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { type Berth, berthFor } from './client.ts'

let daemon: TestDaemon
let berth: Berth
beforeAll(async () => {
  daemon = await startDaemon()
  berth = berthFor(daemon)
  return () => daemon[Symbol.asyncDispose]()
})

test('a network is made, listed as docker lists it, joined, left and removed', async () => {
  const made = await berth('network', 'create', '--subnet', '10.61.0.0/24', '--label', 'a=b', 'mine')
  expect(made.stdout).toMatch(/^[0-9a-f]{64}\n$/)
  for (const args of [['ls'], ['ls', '--no-trunc'], ['ls', '-q', '--filter', 'label=a=b'], ['inspect', 'mine']]) {
    expect(await berth('network', ...args)).toEqual(await daemon.docker('network', ...args))
  }
  await berth('run', '-d', '--name', 'box', busybox, 'sleep', '600')
  expect(await berth('network', 'connect', '--ip', '10.61.0.9', '--alias', 'b', 'mine', 'box')).toMatchObject({
    code: 0,
    stdout: '',
  })
  expect((await berth('exec', 'box', 'ip', '-o', '-4', 'addr')).stdout).toContain('10.61.0.9/24')
  expect((await berth('network', 'rm', 'mine')).stderr).toContain('has active endpoints')
  expect((await berth('network', 'disconnect', 'mine', 'box')).code).toBe(0)
  expect((await berth('network', 'rm', 'mine')).stdout).toBe('mine\n')
  expect(await berth('network', 'rm', '-f', 'mine')).toMatchObject({ code: 0, stdout: '' })
  await berth('network', 'create', 'unused')
  expect((await berth('network', 'prune', '-f')).stdout).toBe('Deleted Networks:\nunused\n\n')
  await berth('rm', '-f', 'box')
})
