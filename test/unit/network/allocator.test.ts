import { expect, test } from 'vitest'
import { AddressAllocator } from '#network/ipam/allocator.ts'
import { chooseSubnet, defaultPools } from '#network/ipam/pool.ts'
import { formatAddress, formatSubnet, parseAddress, parseSubnet } from '#network/ipam/subnet.ts'

/** An allocator whose released addresses are free at once. */
const hasty = (subnet: string) => new AddressAllocator(parseSubnet(subnet), { restMs: 0 })

test('the lowest free address comes first, and a released one comes back', () => {
  const allocator = hasty('172.17.0.0/16')
  allocator.reserve(parseAddress('172.17.0.1'))
  const allocate = () => formatAddress(allocator.allocate())
  expect([allocate(), allocate(), allocate()]).toEqual(['172.17.0.2', '172.17.0.3', '172.17.0.4'])
  allocator.release(parseAddress('172.17.0.3'))
  allocator.release(parseAddress('172.17.0.2'))
  expect([allocate(), allocate(), allocate()]).toEqual(['172.17.0.2', '172.17.0.3', '172.17.0.5'])
})

test('a full subnet says so, and serves again once an address is released', () => {
  const allocator = new AddressAllocator(parseSubnet('10.0.0.0/30'))
  allocator.allocate()
  const last = allocator.allocate()
  expect(() => allocator.allocate()).toThrow('no available IPv4 addresses in the subnet 10.0.0.0/30')
  allocator.release(last)
  expect(allocator.allocate()).toBe(last)
})

test('a released address rests for a second while there are others', () => {
  let now = 0
  const allocator = new AddressAllocator(parseSubnet('10.0.0.0/29'), { now: () => now })
  const allocate = () => formatAddress(allocator.allocate())
  allocate()
  allocator.release(parseAddress('10.0.0.1'))
  now = 999
  expect(allocate()).toBe('10.0.0.2')
  now = 1000
  expect(allocate()).toBe('10.0.0.1')
})

test('where no other address is left, the one that has rested longest is taken', () => {
  const allocator = new AddressAllocator(parseSubnet('10.0.0.0/30'), { now: () => 0 })
  const [first, second] = [allocator.allocate(), allocator.allocate()]
  allocator.release(second)
  allocator.release(first)
  expect([allocator.allocate(), allocator.allocate()]).toEqual([second, first])
})

test('an address is reserved once, and only within the subnet', () => {
  const allocator = new AddressAllocator(parseSubnet('10.0.0.0/24'))
  allocator.reserve(parseAddress('10.0.0.9'))
  expect(() => allocator.reserve(parseAddress('10.0.0.9'))).toThrow('Address already in use')
  expect(() => allocator.reserve(parseAddress('10.0.1.9'))).toThrow('not in the subnet')
})

test('releasing twice does not give an address to two', () => {
  const allocator = hasty('10.0.0.0/24')
  const first = allocator.allocate()
  allocator.release(first)
  allocator.release(first)
  expect(allocator.allocate()).not.toBe(allocator.allocate())
})

test('sixty thousand addresses are allocated and released in well under a second', () => {
  const allocator = new AddressAllocator(parseSubnet('172.17.0.0/16'))
  const begin = performance.now()
  const addresses = Array.from({ length: 60_000 }, () => allocator.allocate())
  for (const address of addresses) allocator.release(address)
  expect(performance.now() - begin).toBeLessThan(1000)
})

test.each([
  [[], '172.17.0.0/16'],
  [['10.0.0.0/8'], '172.17.0.0/16'],
  [['172.17.0.0/16', '172.18.3.0/24'], '172.19.0.0/16'],
  [['172.16.0.0/12'], '192.168.0.0/20'],
  [['172.16.0.0/12', '192.168.16.0/24', '192.168.1.0/24'], '192.168.32.0/20'],
])('where the host has %j, the bridge gets %s', (taken, expected) => {
  expect(formatSubnet(chooseSubnet(taken.map(parseSubnet)))).toBe(expected)
})

test('a host that uses all the pools is told to choose', () => {
  expect(() => chooseSubnet(defaultPools.map(({ range }) => range))).toThrow(/choose one with --bip/)
})
