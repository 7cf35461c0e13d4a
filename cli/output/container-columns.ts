import type { ContainerSummary } from '#contract/types.gen.ts'
import { familiarReference, parseReference } from '#oci/reference.ts'
import type { PortSummary } from '../client/wire.ts'
import { ellipsis, formatAge, formatMoment, formatSize, quote, shortId } from './human.ts'
import { formatPorts } from './ports.ts'
import type { Columns } from './table.ts'

export const containerTable = ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names']

/** What `ps` can show; headings and values are docker's. */
export function containerColumns({ truncate, nowMs }: { truncate: boolean; nowMs: number }): Columns<ContainerSummary> {
  return {
    ID: { heading: 'CONTAINER ID', value: ({ Id }) => (truncate ? shortId(Id) : Id) },
    Image: { heading: 'IMAGE', value: (container) => (truncate ? shortImage(container) : container.Image) },
    Command: { heading: 'COMMAND', value: ({ Command }) => quote(truncate ? ellipsis(Command, 20) : Command) },
    CreatedAt: { heading: 'CREATED AT', value: ({ Created }) => formatMoment(Created) },
    RunningFor: { heading: 'CREATED', value: ({ Created }) => formatAge(Created, nowMs) },
    Status: { heading: 'STATUS', value: ({ Status }) => Status },
    State: { heading: 'STATE', value: ({ State }) => State },
    Ports: { heading: 'PORTS', value: ({ Ports }) => formatPorts((Ports ?? []) as readonly PortSummary[]) },
    Names: { heading: 'NAMES', value: ({ Names }) => formatNames(Names, truncate) },
    Size: { heading: 'SIZE', value: formatContainerSize },
    Labels: { heading: 'LABELS', value: ({ Labels }) => formatLabels(Labels ?? {}) },
    Label: { heading: '', value: (container) => (name: string) => container.Labels?.[name] ?? '' },
    LocalVolumes: {
      heading: 'LOCAL VOLUMES',
      value: ({ Mounts }) => String((Mounts ?? []).filter(({ Driver }) => Driver === 'local').length),
    },
    Platform: { heading: '', value: () => null },
    Mounts: { heading: 'MOUNTS', value: (container) => formatMounts(container, truncate) },
    Networks: {
      heading: 'NETWORKS',
      value: ({ NetworkSettings }) =>
        Object.keys(NetworkSettings?.Networks ?? {})
          .toSorted()
          .join(','),
    },
  }
}

function shortImage({ Image, ImageID }: ContainerSummary): string {
  if (Image === '') return '<no image>'
  if (shortId(Image) === shortId(ImageID)) return shortId(ImageID)
  try {
    const { domain, path, tag } = parseReference(Image)
    return familiarReference({ domain, path, ...(tag !== undefined && { tag }) })
  } catch {
    return Image // an id, or a name that an engine other than ours gave it
  }
}

/** Names of links hold further slashes, and are left out unless everything is asked for. */
function formatNames(names: readonly string[], truncate: boolean): string {
  const plain = names.map((name) => name.replace(/^\//, ''))
  return plain.filter((name) => !truncate || !name.includes('/')).join(',')
}

function formatContainerSize({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  return SizeRootFs > 0 ? `${formatSize(SizeRw)} (virtual ${formatSize(SizeRootFs)})` : formatSize(SizeRw)
}

function formatLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
    .join(',')
}

function formatMounts({ Mounts }: ContainerSummary, truncate: boolean): string {
  const names = (Mounts ?? []).map(({ Name, Source }) => (Name === undefined || Name === '' ? Source : Name))
  return names.map((name) => (truncate ? ellipsis(name, 15) : name)).join(',')
}
