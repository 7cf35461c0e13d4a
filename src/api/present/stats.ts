import { totalmem } from 'node:os'
import { formatNanos, zeroTime } from '#base/timestamp.ts'
import type { Sample } from '#containers/stats/sample.ts'
import type { BlkioStats, ContainerStats, CpuStats, LinkStats } from '#contract/types.gen.ts'
import type { ContainerUsage } from '#engine/engine.ts'
import { memoryStatsV1, memoryStatsV2 } from './memory-stats.ts'

type Counters = Sample['counters']
type Link = NonNullable<ContainerUsage['links']>[number]

/** @param oneShot nothing to compare with, and no name, as with dockerd */
export function presentStats(
  { container, sample, before, links }: ContainerUsage,
  { oneShot = false }: { readonly oneShot?: boolean } = {},
): ContainerStats {
  const previous = oneShot ? undefined : before
  return {
    ...(!(oneShot && sample) && { name: `/${container.name}`, id: container.id }),
    read: sample ? formatNanos(sample.readAt) : zeroTime,
    preread: previous ? formatNanos(previous.readAt) : zeroTime,
    pids_stats: { ...sample?.counters.pids },
    blkio_stats: presentBlockDevices(sample?.counters),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: presentCpu(sample),
    precpu_stats: presentCpu(previous),
    memory_stats: sample ? presentMemory(sample.counters.memory) : {},
    ...(links !== undefined &&
      links.length > 0 && { networks: Object.fromEntries(links.map((link) => [link.name, presentLink(link)])) }),
  }
}

function presentCpu(sample: Sample | undefined): CpuStats {
  const cpu = sample?.counters.cpu
  return {
    cpu_usage: {
      total_usage: cpu?.total ?? 0,
      ...(cpu?.perCpu && { percpu_usage: cpu.perCpu }),
      usage_in_kernelmode: cpu?.system ?? 0,
      usage_in_usermode: cpu?.user ?? 0,
    },
    ...(sample && { system_cpu_usage: sample.host.total, online_cpus: sample.host.online }),
    throttling_data: {
      periods: cpu?.periods ?? 0,
      throttled_periods: cpu?.throttledPeriods ?? 0,
      throttled_time: cpu?.throttledTime ?? 0,
    },
  }
}

function presentMemory(memory: Counters['memory']): ContainerStats['memory_stats'] {
  const limit = Math.min(memory.limit ?? Number.POSITIVE_INFINITY, totalmem())
  if (isUnified(memory)) {
    const failures = memory.ooms ?? 0
    return {
      usage: memory.usage ?? 0,
      stats: memoryStatsV2(memory.stat),
      ...(failures > 0 && { failcnt: failures }),
      limit,
    }
  }
  const failures = memory.failures ?? 0
  return {
    usage: memory.usage ?? 0,
    ...(memory.maxUsage !== undefined && { max_usage: memory.maxUsage }),
    stats: memoryStatsV1(memory.stat),
    ...(failures > 0 && { failcnt: failures }),
    limit,
  }
}

/** Only cgroup v2 counts `anon`. */
function isUnified({ stat }: Counters['memory']): boolean {
  return stat.anon !== undefined
}

const blockTables =
  `io_service_bytes_recursive io_serviced_recursive io_queue_recursive io_service_time_recursive io_wait_time_recursive
io_merged_recursive io_time_recursive sectors_recursive`.split(/\s+/)

/** cgroup v2 tells bytes alone, and names what was done in small letters. */
function presentBlockDevices(counters: Counters | undefined): Readonly<Record<string, BlkioStats>> {
  const unified = counters !== undefined && isUnified(counters.memory)
  const others = counters === undefined || unified ? null : []
  const bytes = counters?.block.flatMap((device) => presentBytes(device, unified))
  const operations = counters && !unified ? counters.block.flatMap(presentOperations) : others
  return {
    ...Object.fromEntries(blockTables.map((name) => [name, others])),
    io_service_bytes_recursive: bytes ?? null,
    io_serviced_recursive: operations,
  }
}

type BlockCounters = Counters['block'][number]

function presentBytes(
  { major, minor, readBytes, writeBytes, discardBytes }: BlockCounters,
  unified: boolean,
): NonNullable<BlkioStats> {
  if (unified) {
    return [
      { major, minor, op: 'read', value: readBytes },
      { major, minor, op: 'write', value: writeBytes },
    ]
  }
  return rows({ major, minor }, { Read: readBytes, Write: writeBytes, Discard: discardBytes })
}

function presentOperations(device: BlockCounters): NonNullable<BlkioStats> {
  const { readOperations, writeOperations, discardOperations } = device
  return rows(device, { Read: readOperations, Write: writeOperations, Discard: discardOperations })
}

function rows(
  { major, minor }: Pick<BlockCounters, 'major' | 'minor'>,
  values: Readonly<Record<string, number>>,
): NonNullable<BlkioStats> {
  const total = Object.values(values).reduce((sum, value) => sum + value, 0)
  return Object.entries({ ...values, Total: total }).map(([op, value]) => ({ major, minor, op, value }))
}

function presentLink({ received, sent }: Link): LinkStats {
  return {
    rx_bytes: received.bytes,
    rx_packets: received.packets,
    rx_errors: received.errors,
    rx_dropped: received.dropped,
    tx_bytes: sent.bytes,
    tx_packets: sent.packets,
    tx_errors: sent.errors,
    tx_dropped: sent.dropped,
  }
}
