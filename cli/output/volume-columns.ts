import { formatBytes } from '#base/quantity.ts'
import type { Volume } from '#contract/types.gen.ts'
import type { Columns } from './table.ts'

export const volumeTable = ['Driver', 'Name']

const unknown = 'N/A'

/** What `volume ls` can show; headings and values are docker's. Availability, group and status are of volumes in a cluster. */
export const volumeColumns: Columns<Volume> = {
  Name: { heading: 'VOLUME NAME', value: ({ Name }) => Name },
  Driver: { heading: 'DRIVER', value: ({ Driver }) => Driver },
  Scope: { heading: 'SCOPE', value: ({ Scope }) => Scope },
  Mountpoint: { heading: 'MOUNTPOINT', value: ({ Mountpoint }) => Mountpoint },
  Labels: {
    heading: 'LABELS',
    value: ({ Labels }) =>
      Object.entries(Labels ?? {})
        .map(([name, value]) => `${name}=${value}`)
        .toSorted()
        .join(','),
  },
  Label: { heading: '', value: (volume) => (name: string) => volume.Labels?.[name] ?? '' },
  Links: { heading: 'LINKS', value: ({ UsageData }) => (UsageData ? String(UsageData.RefCount) : unknown) },
  Size: { heading: 'SIZE', value: ({ UsageData }) => (UsageData ? formatBytes(UsageData.Size) : unknown) },
  Availability: { heading: 'AVAILABILITY', value: () => unknown },
  Group: { heading: 'GROUP', value: () => unknown },
  Status: { heading: 'STATUS', value: () => unknown },
}
