import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'

interface Scene {
  readonly before: string
  readonly plan: Readonly<Record<string, unknown>>
  readonly third: Readonly<Record<string, unknown>>
  readonly bridgeAfterDeletion: unknown
  readonly hosts: string
  readonly neighbourSees: string
  readonly secondSees: string
  readonly containerSeesHost: string
  readonly neighbourGets: string
  readonly rulesComeBack: boolean
  readonly rulesUnchanged: boolean
  readonly rules: string
  readonly forwardingWhile: string
  readonly linksWhileInUse: string
  readonly warnings: readonly string[]
  readonly after: { readonly rules: string; readonly links: string; readonly forwarding: string }
}

let scene: Scene

beforeAll(async () => {
  const script = join(import.meta.dirname, 'bridge-scene.ts')
  const { stdout } = await promisify(execFile)('unshare', ['--net', process.execPath, script], { timeout: 60_000 })
  scene = JSON.parse(stdout) as Scene
})

test('nothing stands on the host before the first container', () => {
  expect(scene.before).toBe('')
})

test('the first container gets the first address after the gateway', () => {
  expect(scene.plan).toMatchObject({
    kind: 'veth',
    bridge: 'berth0',
    link: 'eth0',
    mac: '02:42:ac:11:00:02',
    mtu: 1450,
    addresses: ['172.17.0.2/16'],
    routes: [{ to: '0.0.0.0/0', via: '172.17.0.1', link: 'eth0' }],
  })
  expect(scene.plan.hostLink).toMatch(/^bth[0-9a-f]{8}$/)
  expect(scene.hosts).toContain('\n172.17.0.2\tc\n')
})

test('a neighbour that knows no way back is reached under the address of the host', () => {
  expect(scene.neighbourSees).toBe('192.0.2.1')
})

test('containers reach each other under their own addresses', () => {
  expect(scene.secondSees).toBe('172.17.0.2')
})

test('the host reaches a container', () => {
  expect(scene.containerSeesHost).toBe('172.17.0.1')
})

test('a neighbour with a route of its own does not reach a container', () => {
  expect(scene.neighbourGets).toBe('timeout')
})

test('a daemon that starts again keeps addresses and rules', () => {
  expect(scene.third.addresses).toEqual(['172.17.0.5/16'])
  expect(scene.rulesUnchanged).toBe(true)
  expect(scene.rules).toContain('iifname != "berth*" oifname != "berth*" drop')
  expect(scene.forwardingWhile).toBe('1')
})

test('a bridge that somebody deleted and rules that are gone are back for the next container', () => {
  expect(scene.rulesComeBack).toBe(true)
  expect(scene.bridgeAfterDeletion).toMatchObject({ kind: 'bridge', up: true, addresses: ['172.17.0.1/16'] })
})

test('rules of others that drop what is forwarded are told once, by name', () => {
  expect(scene.warnings).toHaveLength(1)
  expect(scene.warnings[0]).toContain('ip strict locked')
})

test('a daemon that stops leaves the bridge to containers that live on', () => {
  expect(scene.linksWhileInUse).toContain('berth0')
})

test('without such containers it leaves the host as it was', () => {
  expect(scene.after.rules).toBe('')
  expect(scene.after.links).not.toContain('berth0')
  expect(scene.after.forwarding).toBe('0')
})
