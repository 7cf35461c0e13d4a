import { shortId } from '#base/ids.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { parseImageConfig } from '#oci/image-config.ts'
import type { Manifest } from '#oci/manifest.ts'
import { familiarReference, formatReference, type Reference } from '#oci/reference.ts'
import type { AddedImage } from '../transfer/add-image.ts'
import type { BlobSource } from '../transfer/blob-source.ts'
import type { PullProgress } from '../transfer/progress.ts'

type Parts = Pick<Manifest, 'config' | 'layers'>

/** What Docker tells of one image's loading: nothing but the bytes of each layer that is unpacked, under the beginning of its diffId. */
export type LayerLines = (progress: PullProgress) => PullProgress | undefined

export async function layerLines(source: BlobSource, manifest: Parts, signal: AbortSignal): Promise<LayerLines> {
  const names = await namesOf(source, manifest, signal)
  return ({ status, id = '', detail }) => {
    if (status !== 'Extracting' || !detail) return undefined
    return { status: 'Loading layer', detail, id: names.get(id) ?? id }
  }
}

async function namesOf(
  source: BlobSource,
  { config, layers }: Parts,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const bytes = await source.readManifest(config, signal)
  const { diffIds } = parseImageConfig(bytes.toString('utf8'), `image config ${config.digest}`)
  const toName = ({ digest }: Descriptor, index: number) =>
    [shortId(digest), shortId(diffIds[index] ?? digest)] as const
  return new Map(layers.map(toName))
}

/** What Docker says at an image's end. */
export function endLines({ image, taken }: AddedImage, references: readonly Reference[]): string[] {
  if (references.length === 0) return [`Loaded image ID: ${image.id}`]
  const before = new Map(taken.map(({ name, from }) => [name, from]))
  return references.flatMap((reference) => {
    const name = familiarReference(reference)
    const from = before.get(formatReference(reference))
    const renamed =
      from === undefined
        ? []
        : [`The image ${name} already exists, renaming the old one with ID ${from} to empty string`]
    return [...renamed, `Loaded image: ${name}`]
  })
}
