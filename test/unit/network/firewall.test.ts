import { expect, test } from 'vitest'
import { chainsThatDrop } from '#network/firewall/nftables.ts'
import {
  type BridgeRules,
  type PortRule,
  type Rules,
  renderPorts,
  renderTable,
  tableOf,
} from '#network/firewall/rules.ts'
import { parseAddress, parseSubnet } from '#network/ipam/subnet.ts'

const bridge = (name: string, more: Partial<BridgeRules> = {}): BridgeRules => ({
  bridge: name,
  subnet: parseSubnet('172.17.0.0/16'),
  internal: false,
  masquerade: true,
  ...more,
})
const rules = (more: Partial<Rules> = {}): Rules => ({
  table: 'berth',
  bridges: [bridge('berth0')],
  ports: [],
  others: 'accept',
  ...more,
})
const web: PortRule = {
  protocol: 'tcp',
  hostAddress: undefined,
  hostPort: 8080,
  address: parseAddress('172.17.0.2'),
  port: 80,
}

test('the table is replaced as a whole, and says everything about the bridges', () => {
  const text = renderTable(rules({ bridges: [bridge('berth0'), bridge('in', { internal: true, masquerade: false })] }))
  expect(text).toMatch(/^table inet berth\ndelete table inet berth\ntable inet berth \{\n/)
  expect(text).toContain('set bridges { type ifname; elements = { "berth0", "in" }; }')
  expect(text).toContain('set inner { type ifname . ifname; elements = { "berth0" . "berth0", "in" . "in" }; }')
  expect(text).toContain('set internal { type ifname; elements = { "in" }; }')
  expect(text).toContain('set masqueraded { type ipv4_addr; flags interval; elements = { 172.17.0.0/16 }; }')
  expect(text).not.toContain('berth*')
})

test('a port of every address is one element, that of one address another', () => {
  const local = { ...web, protocol: 'udp' as const, hostAddress: parseAddress('192.0.2.1') }
  expect(renderPorts('add', 'berth', [web, local])).toBe(
    `add element inet berth anywhere { tcp . 8080 : 172.17.0.2 . 80 }
add element inet berth at { 192.0.2.1 . udp . 8080 : 172.17.0.2 . 80 }
add element inet berth own { 172.17.0.2 . tcp . 8080, 172.17.0.2 . udp . 8080 }
`,
  )
  expect(renderPorts('delete', 'berth', [])).toBe('')
  expect(renderTable(rules({ ports: [web] }))).toContain('elements = { tcp . 8080 : 172.17.0.2 . 80 }')
})

test('where forwarding is on only for engines, nothing else is forwarded', () => {
  expect(renderTable(rules({ others: 'drop' }))).toContain('    iifname != "berth*" oifname != "berth*" drop\n')
})

test('a second engine has a table of its own', () => {
  expect(tableOf('berth1')).toBe('berth1')
  expect(renderTable(rules({ table: 'berth1' }))).toMatch(/^table inet berth1\ndelete table inet berth1\n/)
})

test('a name that could break out of its quotes never reaches the rules', () => {
  for (const name of ['a" accept; #', 'a\nb', '', 'berth0*', '"']) {
    expect(() => renderTable(rules({ bridges: [bridge(name)] })), name).toThrow(RangeError)
    expect(() => renderTable(rules({ table: name })), name).toThrow(RangeError)
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
