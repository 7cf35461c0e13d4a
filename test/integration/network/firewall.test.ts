import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { openFirewall } from '#runtime/firewall.ts'
import type { Library } from '#runtime/library.ts'

type Scene = Readonly<Record<string, string>> & {
  readonly before: boolean
  readonly afterFlush: boolean
  readonly orphaned: boolean
  readonly manyPorts: number
  readonly dropping: readonly string[]
}

let scene: Scene

beforeAll(async () => {
  const script = join(import.meta.dirname, 'firewall-scene.ts')
  const { stdout } = await promisify(execFile)('unshare', ['--net', process.execPath, script], { timeout: 60_000 })
  scene = JSON.parse(stdout) as Scene
})

const ruleLines = (text = ''): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /(accept|drop|masquerade|map @\w+|policy \w+;)$/.test(line))

test('the table says the same to nft(8) as its rules are meant', () => {
  expect(scene.before).toBe(false)
  expect(ruleLines(scene.written)).toEqual([
    'type filter hook forward priority filter; policy accept;',
    'oifname @bridges ct state established,related accept',
    'iifname . oifname @inner accept',
    'iifname @internal drop',
    'oifname @internal drop',
    'oifname @bridges ct status dnat accept',
    'oifname @bridges drop',
    'iifname @bridges accept',
    'iifname != "berth*" oifname != "berth*" drop',
    'type nat hook prerouting priority dstnat; policy accept;',
    'ip saddr . meta l4proto . th dport @own accept',
    'fib daddr type local dnat ip to ip daddr . meta l4proto . th dport map @at',
    'fib daddr type local meta nfproto ipv4 dnat ip to meta l4proto . th dport map @anywhere',
    'type nat hook output priority -100; policy accept;',
    'ip daddr != 127.0.0.0/8 fib daddr type local dnat ip to ip daddr . meta l4proto . th dport map @at',
    'ip daddr != 127.0.0.0/8 fib daddr type local meta nfproto ipv4 dnat ip to meta l4proto . th dport map @anywhere',
    'type nat hook postrouting priority srcnat; policy accept;',
    'ip saddr @masqueraded oifname != @bridges masquerade',
    'ip saddr @masqueraded oifname @bridges ct status dnat masquerade',
  ])
  expect(scene.written).toContain('elements = { 172.17.0.0/16 }')
  expect(scene.written).toMatch(/set internal \{\n\s*type ifname\n\s*elements = \{ "in"; #" \}/)
  expect(ruleLines(scene.writtenAgain)).toEqual(ruleLines(scene.written))
})

test('nobody else flushes it, and it stays when its owner ends', () => {
  expect(scene.written).toContain('flags owner')
  expect(scene.afterFlush).toBe(true)
  expect(scene.ofAnother).toBe(
    'change the firewall (nf_tables): table berth belongs to another process: operation not permitted',
  )
  expect(scene.orphaned).toBe(true)
  expect(scene.taken).not.toContain('172.17.0.0/16')
  expect(scene.taken).not.toContain('berth*')
})

test('ports come and go one by one', () => {
  expect(scene.twoPorts).toContain('elements = { tcp . 8080 : 172.17.0.2 . 80 }')
  expect(scene.twoPorts).toContain('elements = { 192.0.2.1 . tcp . 8080 : 172.17.0.2 . 80 }')
  expect(scene.onePort).not.toContain('{ tcp . 8080')
  expect(scene.onePort).toContain('{ 192.0.2.1 . tcp . 8080')
  // Both ports have one number, so that the container's own port is still its own.
  expect(scene.onePort).toContain('elements = { 172.17.0.2 . tcp . 8080 }')
  expect(scene.manyPorts).toBe(2000)
})

test('taking away what is not there names the set and changes nothing', () => {
  expect(scene.missing).toBe('change the firewall (nf_tables): set anywhere of table berth: no such file or directory')
  expect(scene.afterRefusal).toBe(scene.onePort)
})

test('bridges come and go one by one, also with a subnet at the end of all addresses', () => {
  expect(scene.fourBridges).toContain('"berth-2"')
  expect(scene.fourBridges).toContain('172.17.0.0/16, 172.18.0.0/16, 255.255.255.0')
  expect(scene.backToTwo).toBe(scene.onePort)
})

test('chains that drop what is forwarded are found, harmless ones are not', () => {
  expect(scene.dropping).toEqual(['ip strict locked'])
})

test('a name that the kernel could cut short is never handed to it', async () => {
  const library = { call: () => 0, wait: async () => 0 } as unknown as Library
  for (const name of ['', 'a'.repeat(16), 'a\0b']) {
    const bridge = { bridge: name, subnet: { base: 0, prefix: 8 }, internal: false, masquerade: true }
    const written = openFirewall(library).write({ table: 'x', bridges: [bridge], ports: [] }, { dropOthers: false })
    await expect(written, JSON.stringify(name)).rejects.toThrow(RangeError)
  }
})
