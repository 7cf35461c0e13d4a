import { expect, test } from 'vitest'
import { memoryStatsV1, memoryStatsV2 } from '#api/present/memory-stats.ts'
import { parseLinks } from '#containers/stats/sample.ts'

test('links are counted, but for loopback and what the kernel puts everywhere', () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
 tunl0:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
  eth0:    1296      16    1    2    0     0          0         0      850       9    3    4    0     0       0          0
`
  expect(parseLinks(text)).toEqual([
    {
      name: 'eth0',
      received: { bytes: 1296, packets: 16, errors: 1, dropped: 2 },
      sent: { bytes: 850, packets: 9, errors: 3, dropped: 4 },
    },
  ])
  expect(parseLinks('')).toEqual([])
})

test('memory is told by the names that dockerd uses for either version of cgroups', () => {
  expect(memoryStatsV1({ cache: 1, total_cache: 2, hierarchical_memory_limit: 3, total_swap: 4 })).toMatchObject({
    cache: 1,
    total_cache: 2,
    hierarchical_memory_limit: 3,
    rss: 0,
  })
  expect(memoryStatsV1({ total_swap: 4 })).not.toHaveProperty('total_swap')
  const unified = memoryStatsV2({ anon: 1, workingset_refault_anon: 2, workingset_refault_file: 3, percpu: 9 })
  expect(unified).toMatchObject({ anon: 1, workingset_refault: 5, shmem: 0 })
  expect(unified).not.toHaveProperty('percpu')
})
