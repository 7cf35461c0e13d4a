import { formatBytes } from '#base/quantity.ts'
import type {
  ContainerPruneReport,
  ImagePruneReport,
  NetworkPruneReport,
  VolumePruneReport,
} from '#contract/types.gen.ts'

export function formatDeletedContainers({ ContainersDeleted }: ContainerPruneReport): string {
  return formatList('Deleted Containers:', ContainersDeleted ?? [])
}

export function formatDeletedImages({ ImagesDeleted }: ImagePruneReport): string {
  const lines = (ImagesDeleted ?? []).map(({ Deleted, Untagged }) =>
    Untagged === undefined ? `deleted: ${Deleted ?? ''}` : `untagged: ${Untagged}`,
  )
  return formatList('Deleted Images:', lines)
}

export function formatDeletedNetworks({ NetworksDeleted }: NetworkPruneReport): string {
  return formatList('Deleted Networks:', NetworksDeleted ?? [])
}

export function formatDeletedVolumes({ VolumesDeleted }: VolumePruneReport): string {
  return formatList('Deleted Volumes:', VolumesDeleted)
}

export function formatReclaimed(bytes: number): string {
  return `Total reclaimed space: ${formatBytes(bytes)}\n`
}

function formatList(heading: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${heading}\n${lines.join('\n')}\n\n`
}
