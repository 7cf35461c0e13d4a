import { formatBytes } from '#base/quantity.ts'
import type { ImageSummary } from '#contract/types.gen.ts'
import { formatAge, formatMoment, formatSize, shortId } from './human.ts'
import type { Columns } from './table.ts'

/** One line of `images`: an image under one of its names. */
export interface ImageRow {
  readonly image: ImageSummary
  readonly repository: string
  readonly tag: string
  readonly digest: string
}

export const imageTable = ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size']
export const digestTable = ['Repository', 'Tag', 'Digest', 'ID', 'CreatedSince', 'Size']

const none = '<none>'

/** @param digests true: a row for every digest too */
export function toImageRows(images: readonly ImageSummary[], digests: boolean): ImageRow[] {
  return images.flatMap((image) => {
    const names = group(image)
    if (names.size === 0) return [{ image, repository: none, tag: none, digest: none }]
    return [...names].flatMap(([repository, known]) => {
      const tags = known.tags.length > 0 ? known.tags : [none]
      const shown = digests && known.digests.length > 0 ? known.digests : [none]
      return tags.flatMap((tag) => shown.map((digest) => ({ image, repository, tag, digest })))
    })
  })
}

function group({ RepoTags, RepoDigests }: ImageSummary): Map<string, { tags: string[]; digests: string[] }> {
  const names = new Map<string, { tags: string[]; digests: string[] }>()
  const of = (repository: string): { tags: string[]; digests: string[] } => {
    const known = names.get(repository) ?? { tags: [], digests: [] }
    names.set(repository, known)
    return known
  }
  for (const name of RepoTags ?? []) {
    const colon = name.lastIndexOf(':')
    if (name !== '<none>:<none>') of(name.slice(0, colon)).tags.push(name.slice(colon + 1))
  }
  for (const name of RepoDigests ?? []) {
    const at = name.indexOf('@')
    if (name !== '<none>@<none>') of(name.slice(0, at)).digests.push(name.slice(at + 1))
  }
  return names
}

export function imageColumns({ truncate, nowMs }: { truncate: boolean; nowMs: number }): Columns<ImageRow> {
  const count = (value: number): string => (value === -1 ? 'N/A' : String(value))
  return {
    ID: { heading: 'IMAGE ID', value: ({ image }) => (truncate ? shortId(image.Id) : image.Id) },
    Repository: { heading: 'REPOSITORY', value: ({ repository }) => repository },
    Tag: { heading: 'TAG', value: ({ tag }) => tag },
    Digest: { heading: 'DIGEST', value: ({ digest }) => digest },
    CreatedSince: {
      heading: 'CREATED',
      value: ({ image }) => (image.Created > 0 ? formatAge(image.Created, nowMs) : 'N/A'),
    },
    CreatedAt: { heading: 'CREATED AT', value: ({ image }) => formatMoment(image.Created) },
    Size: { heading: 'SIZE', value: ({ image }) => formatSize(image.Size) },
    Containers: { heading: 'CONTAINERS', value: ({ image }) => count(image.Containers) },
    VirtualSize: { heading: 'SIZE', value: ({ image }) => formatBytes(image.Size) },
    SharedSize: {
      heading: 'SHARED SIZE',
      value: ({ image }) => (image.SharedSize === -1 ? 'N/A' : formatBytes(image.SharedSize)),
    },
    UniqueSize: {
      heading: 'UNIQUE SIZE',
      value: ({ image }) => (image.SharedSize === -1 ? 'N/A' : formatBytes(image.Size - image.SharedSize)),
    },
  }
}
