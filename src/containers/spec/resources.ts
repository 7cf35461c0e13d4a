import type { ResourcesSpec, ThrottleKind } from '#oci/runtime-spec.ts'
import type { BlkioLimit, HostSettings } from '../container.ts'
import { type Devices, deviceNumber } from './devices.ts'

const throttleOf = {
  readBps: 'throttleReadBpsDevice',
  writeBps: 'throttleWriteBpsDevice',
  readIops: 'throttleReadIOPSDevice',
  writeIops: 'throttleWriteIOPSDevice',
} as const satisfies Record<BlkioLimit['kind'], ThrottleKind>

const defaultCpuPeriodMicros = 100_000

/** The limits of the container's cgroup, and its devices; what was not asked for is not there.   @throws `invalid` for a device that the host has not */
export function resourcesOf(host: HostSettings, { rules }: Devices): ResourcesSpec {
  const { blockIO, ...limits } = limitsOf(host)
  const block = { ...blockIO, ...throttlesOf(host.blkioLimits ?? []) }
  return { devices: rules, ...limits, ...(Object.keys(block).length > 0 && { blockIO: block }) }
}

/** Of a group that exists, what may change. */
export function limitsOf(host: HostSettings): ResourcesSpec {
  const memory = memoryOf(host)
  const cpu = cpuOf(host)
  return {
    ...(Object.keys(memory).length > 0 && { memory }),
    ...(Object.keys(cpu).length > 0 && { cpu }),
    ...(host.pidsLimit !== undefined && host.pidsLimit > 0 && { pids: { limit: host.pidsLimit } }),
    ...(host.blkioWeight > 0 && { blockIO: { weight: host.blkioWeight } }),
  }
}

function throttlesOf(limits: readonly BlkioLimit[]): NonNullable<ResourcesSpec['blockIO']> {
  const byKind = Map.groupBy(limits, ({ kind }) => throttleOf[kind])
  return Object.fromEntries(
    [...byKind].map(([kind, all]) => [kind, all.map(({ path, rate }) => ({ ...deviceNumber(path), rate }))]),
  )
}

function memoryOf(host: HostSettings): NonNullable<ResourcesSpec['memory']> {
  // Like dockerd: a limit alone allows as much again of swap.
  const swap = host.memorySwapBytes === 0 ? host.memoryBytes * 2 : host.memorySwapBytes
  return {
    ...(host.memoryBytes > 0 && { limit: host.memoryBytes }),
    ...(host.memoryReservationBytes > 0 && { reservation: host.memoryReservationBytes }),
    ...(swap !== 0 && { swap }),
    ...(host.memorySwappiness !== undefined && host.memorySwappiness >= 0 && { swappiness: host.memorySwappiness }),
    ...(host.oomKillDisable && { disableOOMKiller: true }),
  }
}

function cpuOf(host: HostSettings): NonNullable<ResourcesSpec['cpu']> {
  const quota =
    host.nanoCpus > 0 ? Math.trunc((host.nanoCpus * defaultCpuPeriodMicros) / 1_000_000_000) : host.cpuQuotaMicros
  const period = host.nanoCpus > 0 ? defaultCpuPeriodMicros : host.cpuPeriodMicros
  return {
    ...(host.cpuShares > 0 && { shares: host.cpuShares }),
    ...(quota !== 0 && { quota }),
    ...(period > 0 && { period }),
    ...(host.cpusetCpus !== '' && { cpus: host.cpusetCpus }),
    ...(host.cpusetMems !== '' && { mems: host.cpusetMems }),
  }
}
