import { formatBytes } from '#base/quantity.ts'
import type { ContainerSummary, DiskUsage, ImageSummary } from '#contract/types.gen.ts'
import { containerColumns } from './container-columns.ts'
import { toUsageRows } from './disk-usage.ts'
import { formatSize } from './human.ts'
import { type ImageRow, imageColumns } from './image-columns.ts'
import { type Columns, formatRows } from './table.ts'
import { volumeColumns } from './volume-columns.ts'

const imageTable = ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size', 'SharedSize', 'UniqueSize', 'Containers']
const containerTable = ['ID', 'Image', 'Command', 'LocalVolumes', 'Size', 'RunningFor', 'Status', 'Names']

interface Cache {
  readonly ID: string
  readonly Type: string
  readonly Size: number
  readonly CreatedAt: string
  readonly LastUsedAt?: string
  readonly UsageCount: number
  readonly Shared: boolean
}

const cacheColumns: Columns<Cache> = {
  ID: { heading: 'CACHE ID', value: ({ ID }) => ID.slice(0, 12) },
  Type: { heading: 'CACHE TYPE', value: ({ Type }) => Type },
  Size: { heading: 'SIZE', value: ({ Size }) => formatBytes(Size) },
  Created: { heading: 'CREATED', value: ({ CreatedAt }) => CreatedAt },
  LastUsed: { heading: 'LAST USED', value: ({ LastUsedAt }) => LastUsedAt ?? '' },
  Usage: { heading: 'USAGE', value: ({ UsageCount }) => String(UsageCount) },
  Shared: { heading: 'SHARED', value: ({ Shared }) => String(Shared) },
}

/** What `system df -v` shows: a table for each kind of object. */
export async function formatVerboseUsage(usage: DiskUsage, nowMs: number): Promise<string> {
  const { Images, Containers, Volumes, BuildCache } = usage
  const options = { truncate: true, nowMs }
  const containers: Columns<ContainerSummary> = {
    ...containerColumns(options),
    Size: { heading: 'SIZE', value: ({ SizeRw = 0 }) => formatSize(SizeRw) },
  }
  const columns = (names: readonly string[]) => ({ kind: 'columns', names }) as const
  const cache = toUsageRows(usage).at(-1)
  return [
    `Images space usage:\n\n${await formatRows((Images ?? []).map(firstName), imageColumns(options), columns(imageTable))}`,
    `Containers space usage:\n\n${await formatRows(Containers ?? [], containers, columns(containerTable))}`,
    `Local Volumes space usage:\n\n${await formatRows(Volumes ?? [], volumeColumns, columns(['Name', 'Links', 'Size']))}`,
    `Build cache usage: ${formatBytes(cache?.sizeBytes ?? 0)}\n`,
    await formatRows((BuildCache ?? []) as Cache[], cacheColumns, columns(Object.keys(cacheColumns))),
  ].join('\n')
}

/** An image has one line here, whatever its names. */
function firstName(image: ImageSummary): ImageRow {
  const name = image.RepoTags?.[0] ?? '<none>:<none>'
  const colon = name.lastIndexOf(':')
  return { image, repository: name.slice(0, colon), tag: name.slice(colon + 1), digest: '<none>' }
}
