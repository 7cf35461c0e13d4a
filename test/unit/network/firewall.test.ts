import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { chainsThatDrop } from '#network/firewall/nftables.ts'
import { renderTable } from '#network/firewall/rules.ts'
import { parseSubnet } from '#network/ipam/subnet.ts'

const subnet = parseSubnet('172.17.0.0/16')

test('the table is replaced as a whole, and says everything about the bridge', () => {
  expect(renderTable({ bridge: 'berth0', subnet, others: 'accept' })).toBe(`table inet berth
delete table inet berth
table inet berth {
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "berth0" accept
    oifname "berth0" ct state established,related accept
    oifname "berth0" drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr 172.17.0.0/16 oifname != "berth0" masquerade
  }
}
`)
})

test('where forwarding is on only for engines, nothing else is forwarded', () => {
  const table = renderTable({ bridge: 'berth0', subnet, others: 'drop' })
  expect(table).toContain('    iifname != "berth*" oifname != "berth*" drop\n')
})

test('a second engine has a table of its own', () => {
  expect(renderTable({ bridge: 'berth1', subnet, others: 'accept' })).toMatch(
    /^table inet berth1\ndelete table inet berth1\n/,
  )
})

test('a name that could break out of its quotes never reaches the rules', () => {
  for (const bridge of ['a" accept; #', 'a\nb', '', 'berth0*', '"']) {
    expect(() => renderTable({ bridge, subnet, others: 'drop' }), bridge).toThrow(RangeError)
  }
})

test('chains of others that drop what is forwarded are found, ours and harmless ones are not', () => {
  const chain = (family: string, table: string, name: string, hook?: string, policy?: string) => ({
    chain: { family, table, name, ...(hook && { hook, policy }) },
  })
  const json = JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6' } },
      chain('inet', 'berth', 'forward', 'forward', 'accept'),
      chain('ip', 'filter', 'FORWARD', 'forward', 'drop'),
      chain('ip6', 'filter', 'FORWARD', 'forward', 'drop'),
      chain('inet', 'firewalld', 'filter_FORWARD', 'forward', 'accept'),
      chain('ip', 'filter', 'INPUT', 'input', 'drop'),
      chain('ip', 'filter', 'ufw-before-forward'),
    ],
  })
  expect(chainsThatDrop(json)).toEqual(['ip filter FORWARD'])
})

test('a daemon without a descriptor to spare is told so, and lives on', async () => {
  const scene = join(import.meta.dirname, 'no-descriptors-scene.ts')
  const { stdout } = await promisify(execFile)('prlimit', ['--nofile=256:256', process.execPath, scene])
  expect(stdout).toBe('cannot run nft')
})
