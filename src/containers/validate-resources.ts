import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { invalid } from '#base/errors.ts'
import type { HostSettings } from './container.ts'

const smallestMemory = 6 << 20

/** What a cgroup can be told, at create and later. */
export type Limits = Pick<
  HostSettings,
  | 'memoryBytes'
  | 'memoryReservationBytes'
  | 'memorySwapBytes'
  | 'cpuShares'
  | 'cpuQuotaMicros'
  | 'cpuPeriodMicros'
  | 'nanoCpus'
  | 'cpusetCpus'
  | 'cpusetMems'
  | 'pidsLimit'
  | 'blkioWeight'
>

/** Checks limits, in Docker's words.   @param update what the request leaves out is set already   @throws `invalid` */
export function validateResources(
  host: Limits & Partial<Pick<HostSettings, 'memorySwappiness'>>,
  { update = false }: { readonly update?: boolean } = {},
): void {
  validateMemory(host, update)
  validateCpu(host)
  if (host.blkioWeight !== 0 && (host.blkioWeight < 10 || host.blkioWeight > 1000)) {
    throw invalid('range of blkio weight is from 10 to 1000')
  }
}

function validateMemory(host: Parameters<typeof validateResources>[0], update: boolean): void {
  const { memoryBytes: memory, memorySwapBytes: swap, memoryReservationBytes: reservation } = host
  if (memory !== 0 && memory < smallestMemory) throw invalid('Minimum memory limit allowed is 6MB')
  if (memory > 0 && swap > 0 && swap < memory) {
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage')
  }
  if (memory === 0 && swap > 0 && !update)
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage')
  if (reservation !== 0 && reservation < smallestMemory) throw invalid('Minimum memory reservation allowed is 6MB')
  if (memory > 0 && memory < reservation) {
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage')
  }
  const swappiness = host.memorySwappiness
  if (swappiness !== undefined && (swappiness < -1 || swappiness > 100)) {
    throw invalid(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`)
  }
}

function validateCpu(host: Limits): void {
  if (host.nanoCpus > 0 && host.cpuPeriodMicros > 0) {
    throw invalid('Conflicting options: Nano CPUs and CPU Period cannot both be set')
  }
  if (host.nanoCpus > 0 && host.cpuQuotaMicros > 0) {
    throw invalid('Conflicting options: Nano CPUs and CPU Quota cannot both be set')
  }
  const cpus = availableParallelism()
  if (host.nanoCpus < 0 || host.nanoCpus > cpus * 1e9) {
    throw invalid(`range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`)
  }
  if (host.cpuPeriodMicros !== 0 && (host.cpuPeriodMicros < 1000 || host.cpuPeriodMicros > 1_000_000)) {
    throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)')
  }
  if (host.cpuQuotaMicros > 0 && host.cpuQuotaMicros < 1000) {
    throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)')
  }
  validateCpuset(host)
}

function validateCpuset({ cpusetCpus, cpusetMems }: Limits): void {
  const checks = [
    { value: cpusetCpus, name: 'cpus', what: 'CPUs', file: '/sys/devices/system/cpu/online' },
    { value: cpusetMems, name: 'mems', what: 'memory nodes', file: '/sys/devices/system/node/online' },
  ]
  for (const { value, name, what, file } of checks) {
    if (value === '') continue
    const wanted = parseSet(value)
    if (!wanted) throw invalid(`Invalid value ${value} for cpuset ${name}: invalid format: ${value}`)
    const available = readFileSync(file, 'utf8').trim()
    const there = parseSet(available)
    if (there && !wanted.isSubsetOf(there)) {
      throw invalid(`Requested ${what} are not available - requested ${value}, available: ${available}`)
    }
  }
}

/** "0-2,7" → numbers; undefined when it is not such a list. */
function parseSet(text: string): Set<number> | undefined {
  const numbers = new Set<number>()
  for (const part of text.split(',')) {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part)
    if (!match) return undefined
    const first = Number(match[1])
    for (let number = first; number <= Number(match[2] ?? first); number += 1) numbers.add(number)
  }
  return numbers
}
