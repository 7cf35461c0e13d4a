import { type Digest, encodedOf } from '#base/digest.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { familiarName, familiarReference, formatReference, type Reference } from '#oci/reference.ts'

/** An image as the documents of an archive name it. */
export interface ImageEntry {
  readonly manifest: Descriptor
  readonly config: Digest
  /** The image that it was made of here. */
  readonly parent?: Digest | undefined
  readonly layers: readonly { readonly descriptor: Descriptor; readonly diffId: Digest }[]
  readonly tags: readonly Reference[]
}

/** The annotation with which containerd and Docker name the image of an index entry, whole. */
export const nameAnnotation = 'io.containerd.image.name'

/** @see image-spec v1.1 annotations.md */
export const refNameAnnotation = 'org.opencontainers.image.ref.name'

export const layoutMarker = '{"imageLayoutVersion":"1.0.0"}'

/** Where a layout keeps a blob.   @see image-spec v1.1 image-layout.md */
export function blobPath(digest: Digest): string {
  return `blobs/sha256/${encodedOf(digest)}`
}

type IndexEntry = Pick<ImageEntry, 'manifest' | 'tags'>

/** `index.json` of an archive, as Docker writes it: the short name is the tag.   @see image-spec v1.1 image-layout.md#indexjson-file */
export function formatIndex(images: readonly IndexEntry[]): string {
  return toIndex(images, ({ tag }) => tag ?? 'latest')
}

/** `index.json` of a layout with images of many repositories: the short name is the one that people type. */
export function formatLayoutIndex(images: readonly IndexEntry[]): string {
  return toIndex(images, familiarReference)
}

/** One entry for each name, and one for an image without any. */
function toIndex(images: readonly IndexEntry[], shortName: (tag: Reference) => string): string {
  const annotationsOf = (tag: Reference) => ({
    [nameAnnotation]: formatReference(tag),
    [refNameAnnotation]: shortName(tag),
  })
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: images.flatMap(({ manifest: { mediaType, digest, size }, tags }) => {
      const entry = { mediaType, digest, size }
      return tags.length === 0 ? [entry] : tags.map((tag) => ({ ...entry, annotations: annotationsOf(tag) }))
    }),
  })
}

/** `manifest.json` of a docker-archive, as Docker 25 and later write it: parents are named where the archive has them. */
export function formatArchiveManifest(images: readonly ImageEntry[]): string {
  const ids = new Set(images.map(({ config }) => config))
  return JSON.stringify(
    images.map(({ config, layers, tags, parent }) => ({
      Config: blobPath(config),
      RepoTags: tags.length === 0 ? null : tags.map(familiarReference),
      Layers: layers.map(({ descriptor }) => blobPath(descriptor.digest)),
      ...(parent !== undefined && ids.has(parent) && { Parent: parent }),
      LayerSources: Object.fromEntries(
        layers.map(({ diffId, descriptor: { mediaType, size, digest } }) => [diffId, { mediaType, size, digest }]),
      ),
    })),
  )
}

/** `repositories`, which only the oldest readers look at: repository → tag → topmost layer; undefined without any tag. */
export function formatRepositories(images: readonly ImageEntry[]): string | undefined {
  const names = images.flatMap(({ layers, tags }) => {
    const top = layers.at(-1)
    return top ? tags.map((reference) => ({ reference, top: encodedOf(top.descriptor.digest) })) : []
  })
  if (names.length === 0) return undefined
  const byRepository = Map.groupBy(names, ({ reference }) => familiarName(reference))
  return JSON.stringify(
    Object.fromEntries(
      [...byRepository].map(([repository, tagged]) => [
        repository,
        Object.fromEntries(tagged.map(({ reference, top }) => [reference.tag, top])),
      ]),
    ),
  )
}
