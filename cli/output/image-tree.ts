import type { ImageSummary, ManifestSummary } from '#contract/types.gen.ts'
import { formatSize, shortId } from './human.ts'
import { formatColumns } from './table.ts'

type ImageManifest = ManifestSummary & { readonly ImageData: NonNullable<ManifestSummary['ImageData']> }

const heading = ['IMAGE', 'ID', 'DISK USAGE', 'CONTENT SIZE', 'USED']

/** Each image with all its names, and below it the platforms that its root leads to, also those that are not here. */
export function formatImageTree(images: readonly ImageSummary[]): string {
  return formatColumns([heading, ...images.flatMap((image, at) => [...(at === 0 ? [] : [['']]), ...toRows(image)])])
}

function toRows(image: ImageSummary): (readonly string[])[] {
  const children = (image.Manifests ?? []).filter(isImage)
  const sum = (part: 'Content' | 'Total') => children.reduce((bytes, { Size }) => bytes + Size[part], 0)
  const isUsed = image.Containers > 0 || children.some(({ ImageData }) => isInUse(ImageData))
  const names = image.RepoTags?.length ? image.RepoTags : ['<untagged>']
  return [
    ...names.slice(0, -1).map((name) => [name]),
    [names.at(-1) ?? '', ...toCells(image.Id, Math.max(image.Size, sum('Total')), sum('Content'), isUsed)],
    ...children.map((child, at) => toRow(child, at === children.length - 1 ? '└─ ' : '├─ ')),
  ]
}

function toRow({ ID, Size, ImageData }: ImageManifest, branch: string): readonly string[] {
  const { os, architecture, variant } = ImageData.Platform
  const platform = [os, architecture, ...(variant ? [variant] : [])].join('/')
  return [`${branch}${platform}`, ...toCells(ID, Size.Total, Size.Content, isInUse(ImageData))]
}

function toCells(id: string, totalBytes: number, contentBytes: number, isUsed: boolean): readonly string[] {
  return [shortId(id), formatSize(totalBytes), formatSize(contentBytes), isUsed ? '✔' : '']
}

function isImage(manifest: ManifestSummary): manifest is ImageManifest {
  return manifest.Kind === 'image' && manifest.ImageData !== undefined
}

function isInUse({ Containers }: ImageManifest['ImageData']): boolean {
  return (Containers ?? []).length > 0
}
