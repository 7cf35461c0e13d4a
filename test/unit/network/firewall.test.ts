import { expect, test } from 'vitest'
import { chainsThatDrop } from '#network/firewall/nftables.ts'
import { renderTable } from '#network/firewall/rules.ts'
import { parseSubnet } from '#network/ipam/subnet.ts'

const bridges = [{ bridge: 'berth0', subnet: parseSubnet('172.17.0.0/16') }]

test('the table is replaced as a whole, and says everything about the bridge', () => {
  expect(renderTable({ bridges, others: 'accept' })).toBe(`table inet berth
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

test('where forwarding is on only for us, nothing else is forwarded', () => {
  expect(renderTable({ bridges, others: 'drop' })).toContain('hook forward priority filter; policy drop;')
})

test('a name that could break out of its quotes never reaches the rules', () => {
  const named = (bridge: string) => () => renderTable({ bridges: [{ ...bridges[0], bridge } as never], others: 'drop' })
  expect(named('a" accept; #')).toThrow(RangeError)
  expect(named('a\nb')).toThrow(RangeError)
  expect(named('')).toThrow(RangeError)
})

test('chains of others that drop what is forwarded are found, ours and harmless ones are not', () => {
  const chain = (family: string, table: string, name: string, hook?: string, policy?: string) => ({
    chain: { family, table, name, ...(hook && { hook, policy }) },
  })
  const json = JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6' } },
      chain('inet', 'berth', 'forward', 'forward', 'drop'),
      chain('ip', 'filter', 'FORWARD', 'forward', 'drop'),
      chain('ip6', 'filter', 'FORWARD', 'forward', 'drop'),
      chain('inet', 'firewalld', 'filter_FORWARD', 'forward', 'accept'),
      chain('ip', 'filter', 'INPUT', 'input', 'drop'),
      chain('ip', 'filter', 'ufw-before-forward'),
    ],
  })
  expect(chainsThatDrop(json)).toEqual(['ip filter FORWARD'])
})
