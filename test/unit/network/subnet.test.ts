import { expect, test } from 'vitest'
import {
  contains,
  formatAddress,
  formatSubnet,
  hostRange,
  macOf,
  overlaps,
  parseAddress,
  parseInterface,
  parseSubnet,
} from '#network/ipam/subnet.ts'

test.each(['0.0.0.0', '10.0.0.1', '172.17.255.255', '255.255.255.255'])('reads %s and writes it back', (text) => {
  expect(formatAddress(parseAddress(text))).toBe(text)
})

test.each(['', '10.0.0', '10.0.0.256', '010.0.0.1', '10.0.0.1 ', '1e1.0.0.1', '::1', '10.0.0.-1'])(
  'refuses %j as an address',
  (text) => {
    expect(() => parseAddress(text)).toThrow(/is not an IPv4 address/)
  },
)

test.each([
  ['172.17.0.1/16', '172.17.0.0/16'],
  ['192.168.5.77/20', '192.168.0.0/20'],
  ['255.255.255.255/1', '128.0.0.0/1'],
  ['10.1.2.3/0', '0.0.0.0/0'],
  ['10.1.2.3/32', '10.1.2.3/32'],
])('finds the subnet around %s', (text, subnet) => {
  expect(formatSubnet(parseInterface(text).subnet)).toBe(subnet)
})

test.each(['10.0.0.1', '10.0.0.1/33', '10.0.0.1/', '10.0.0.1/8/8', '10.0.0.1/a'])(
  'refuses %s as an interface',
  (text) => {
    expect(() => parseInterface(text)).toThrow(/prefix length/)
  },
)

test('refuses a subnet with host bits and says what was meant', () => {
  expect(() => parseSubnet('172.17.0.1/16')).toThrow('did you mean 172.17.0.0/16?')
})

test('knows what lies within a subnet', () => {
  const subnet = parseSubnet('172.16.0.0/12')
  expect(contains(subnet, parseAddress('172.31.255.255'))).toBe(true)
  expect(contains(subnet, parseAddress('172.32.0.0'))).toBe(false)
  expect(contains(parseSubnet('192.0.0.0/2'), parseAddress('255.255.255.255'))).toBe(true)
})

test.each([
  ['10.0.0.0/8', '10.1.0.0/16', true],
  ['10.1.0.0/16', '10.0.0.0/8', true],
  ['10.1.0.0/16', '10.2.0.0/16', false],
  ['0.0.0.0/0', '203.0.113.0/24', true],
])('%s and %s overlap: %s', (a, b, expected) => {
  expect(overlaps(parseSubnet(a), parseSubnet(b))).toBe(expected)
})

test.each([
  ['172.17.0.0/16', '172.17.0.1', '172.17.255.254'],
  ['10.0.0.0/30', '10.0.0.1', '10.0.0.2'],
  ['10.0.0.0/31', '10.0.0.0', '10.0.0.1'],
])('hosts of %s go from %s to %s', (text, first, last) => {
  const range = hostRange(parseSubnet(text))
  expect([formatAddress(range.first), formatAddress(range.last)]).toEqual([first, last])
})

test('a MAC address tells the IPv4 address', () => {
  expect(macOf(parseAddress('172.17.0.2'))).toBe('02:42:ac:11:00:02')
})
