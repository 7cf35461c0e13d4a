import { expect, test } from 'vitest'
import { memoryStatsV1, memoryStatsV2 } from '#api/present/memory-stats.ts'
import { presentStats } from '#api/present/stats.ts'
import type { Container } from '#containers/container.ts'
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

test('what cgroup v2 counts is told in its own shape, as by dockerd', () => {
  const container = { id: 'c1', name: 'n' } as Container
  const device = {
    readBytes: 1,
    writeBytes: 2,
    discardBytes: 3,
    readOperations: 4,
    writeOperations: 5,
    discardOperations: 6,
  }
  const counters = {
    cpu: { total: 10, user: 6, system: 4, periods: 1, throttledPeriods: 2, throttledTime: 3 },
    memory: { usage: 7, maxUsage: 9, limit: 64, failures: 5, oomKills: 1, ooms: 2, stat: { anon: 3 } },
    pids: { current: 1, limit: 40 },
    block: [{ major: 8, minor: 0, ...device }],
    hugepages: [],
  }
  const sample = { readAt: 1n, counters, host: { total: 100, online: 2 } }
  const told = presentStats({ container, sample, before: undefined, links: undefined })
  expect(told.memory_stats).toEqual({ usage: 7, stats: memoryStatsV2({ anon: 3 }), failcnt: 2, limit: 64 })
  expect(told.cpu_stats).toEqual({
    cpu_usage: { total_usage: 10, usage_in_kernelmode: 4, usage_in_usermode: 6 },
    system_cpu_usage: 100,
    online_cpus: 2,
    throttling_data: { periods: 1, throttled_periods: 2, throttled_time: 3 },
  })
  expect(told.pids_stats).toEqual({ current: 1, limit: 40 })
  expect(told.blkio_stats).toMatchObject({
    io_service_bytes_recursive: [
      { major: 8, minor: 0, op: 'read', value: 1 },
      { major: 8, minor: 0, op: 'write', value: 2 },
    ],
    io_serviced_recursive: null,
  })
})
