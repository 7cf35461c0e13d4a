import type { ContainerStats } from '#contract/types.gen.ts'
import { formatBinarySize, formatSize, shortId } from './human.ts'
import type { Columns } from './table.ts'

/** A container and the latest that is known of it; `undefined` before the first answer. */
export interface StatsRow {
  /** As it was asked for. */
  readonly asked: string
  readonly stats: ContainerStats | undefined
}

export const statsTable = ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs']

const unknown = '--'

export function statsColumns({ truncate }: { readonly truncate: boolean }): Columns<StatsRow> {
  const of = (what: (stats: ContainerStats) => string, otherwise = unknown) => {
    return ({ stats }: StatsRow) => (stats ? what(stats) : otherwise)
  }
  const id = ({ id = '' }: ContainerStats) => (truncate ? shortId(id) : id)
  return {
    Container: { heading: 'CONTAINER', value: ({ asked }) => asked },
    ID: { heading: 'CONTAINER ID', value: of(id) },
    Name: { heading: 'NAME', value: of(({ name = '' }) => name.replace(/^\//, '')) },
    CPUPerc: { heading: 'CPU %', value: of((stats) => formatShare(cpuShare(stats))) },
    MemUsage: { heading: 'MEM USAGE / LIMIT', value: of(formatMemory, `${unknown} / ${unknown}`) },
    MemPerc: { heading: 'MEM %', value: of((stats) => formatShare(memoryShare(stats))) },
    NetIO: { heading: 'NET I/O', value: of(formatTraffic) },
    BlockIO: { heading: 'BLOCK I/O', value: of(formatBlock) },
    PIDs: { heading: 'PIDS', value: of(({ pids_stats }) => String(pids_stats.current ?? 0)) },
  }
}

function formatShare(share: number): string {
  return `${(share * 100).toFixed(2)}%`
}

/** Of one processor. */
export function cpuShare({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0)
  const processors = now.online_cpus || (now.cpu_usage.percpu_usage?.length ?? 0)
  return used > 0 && passed > 0 ? (used / passed) * processors : 0
}

/** Without the cached files that the kernel can drop, as docker counts. */
function usedMemory({ memory_stats: { usage = 0, stats = {} } }: ContainerStats): number {
  const droppable = stats.total_inactive_file ?? stats.inactive_file ?? 0
  return droppable < usage ? usage - droppable : usage
}

function memoryShare(stats: ContainerStats): number {
  const limit = stats.memory_stats.limit ?? 0
  return limit === 0 ? 0 : usedMemory(stats) / limit
}

function formatMemory(stats: ContainerStats): string {
  return `${formatBinarySize(usedMemory(stats))} / ${formatBinarySize(stats.memory_stats.limit ?? 0)}`
}

function formatTraffic({ networks = {} }: ContainerStats): string {
  const links = Object.values(networks)
  const received = links.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0)
  const sent = links.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0)
  return `${formatSize(received)} / ${formatSize(sent)}`
}

function formatBlock({ blkio_stats: { io_service_bytes_recursive: rows } }: ContainerStats): string {
  const sumOf = (operation: string) =>
    (rows ?? []).filter(({ op }) => op.toLowerCase() === operation).reduce((sum, { value }) => sum + value, 0)
  return `${formatSize(sumOf('read'))} / ${formatSize(sumOf('write'))}`
}
