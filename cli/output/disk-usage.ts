import { formatBytes } from '#base/quantity.ts'
import type { ContainerSummary, DiskUsage, ImageSummary } from '#contract/types.gen.ts'
import type { Columns } from './table.ts'

/** One line of `system df`: a kind of object. */
export interface UsageRow {
  readonly type: string
  readonly total: number
  readonly active: number
  readonly sizeBytes: number
  readonly reclaimableBytes: number
  /** A share of nothing is none. */
  readonly tellsShare: boolean
}

export const usageTable = ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable']

export const usageColumns: Columns<UsageRow> = {
  Type: { heading: 'TYPE', value: ({ type }) => type },
  TotalCount: { heading: 'TOTAL', value: ({ total }) => String(total) },
  Active: { heading: 'ACTIVE', value: ({ active }) => String(active) },
  Size: { heading: 'SIZE', value: ({ sizeBytes }) => formatBytes(sizeBytes) },
  Reclaimable: { heading: 'RECLAIMABLE', value: formatReclaimable },
}

/** Volumes and the build cache are counted only as far as the engine tells sizes of them. */
export function toUsageRows({ LayersSize, Images, Containers, Volumes, BuildCache }: DiskUsage): UsageRow[] {
  return [
    imageRow(Images ?? [], LayersSize),
    containerRow(Containers ?? []),
    partsRow('Local Volumes', (Volumes ?? []).map(readVolume)),
    partsRow('Build Cache', (BuildCache ?? []).map(readCache)),
  ]
}

function formatReclaimable({ reclaimableBytes, sizeBytes, tellsShare }: UsageRow): string {
  const size = formatBytes(reclaimableBytes)
  return tellsShare && sizeBytes > 0 ? `${size} (${Math.trunc((reclaimableBytes * 100) / sizeBytes)}%)` : size
}

function imageRow(images: readonly ImageSummary[], layersSize: number): UsageRow {
  const used = images.filter(({ Containers }) => Containers > 0)
  const usedBytes = used.reduce((sum, { Size, SharedSize }) => sum + Size - Math.max(SharedSize, 0), 0)
  const reclaimableBytes = layersSize - usedBytes
  return {
    ...{ type: 'Images', total: images.length, active: used.length },
    ...{ sizeBytes: layersSize, reclaimableBytes, tellsShare: true },
  }
}

function containerRow(containers: readonly ContainerSummary[]): UsageRow {
  const isActive = ({ State }: ContainerSummary) => ['running', 'paused', 'restarting'].includes(State)
  const parts = containers.map((one) => ({ bytes: one.SizeRw ?? 0, active: isActive(one) }))
  return partsRow('Containers', parts)
}

interface Part {
  readonly bytes: number
  readonly active: boolean
}

function partsRow(type: string, parts: readonly Part[]): UsageRow {
  const sum = (some: readonly Part[]) => some.reduce((total, { bytes }) => total + bytes, 0)
  return {
    ...{ type, total: parts.length, active: parts.filter(({ active }) => active).length },
    ...{ sizeBytes: sum(parts), reclaimableBytes: sum(parts.filter(({ active }) => !active)) },
    tellsShare: type !== 'Build Cache',
  }
}

function readVolume(volume: object): Part {
  const { UsageData } = volume as { UsageData?: { Size?: number; RefCount?: number } }
  return { bytes: Math.max(UsageData?.Size ?? 0, 0), active: (UsageData?.RefCount ?? 0) > 0 }
}

function readCache(cache: object): Part {
  const { Size, InUse, Shared } = cache as { Size?: number; InUse?: boolean; Shared?: boolean }
  return { bytes: Shared ? 0 : (Size ?? 0), active: InUse ?? false }
}
