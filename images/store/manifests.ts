import type { Digest } from '#base/digest.ts'
import { isKind } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { parseImageConfig } from '#oci/image-config.ts'
import { isAttestation, manifestSizeLimit, parseManifest } from '#oci/manifest.ts'
import { isIndexType } from '#oci/media-types.ts'
import type { Platform } from '#oci/platform.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { ImageStore, StoredImage } from './image-store.ts'
import type { ImageUsers } from './ports.ts'

/** A manifest below the root of an image: that of one platform, or an attestation. */
export interface ImageManifest {
  readonly descriptor: Descriptor
  /** Whether its image is here. */
  readonly isAvailable: boolean
  /** Of its blobs that are here. */
  readonly contentBytes: number
  /** Of its layers, unpacked. */
  readonly unpackedBytes: number
  /** Undefined: nobody says which. */
  readonly platform: Platform | undefined
  /** Ids of containers made of it. */
  readonly containers: readonly string[]
  /** The digest of the manifest that an attestation speaks of; undefined for an image. */
  readonly attestedDigest: string | undefined
}

export interface ManifestPorts {
  readonly store: ImageStore
  readonly content: ContentStore
  readonly users: ImageUsers
}

/** An index may lead to indexes, as deep as a pull follows them. */
const maxIndexDepth = 4

/** Reads the manifests below roots, of all of which the images that are here are known beforehand. */
export function manifestReader(ports: ManifestPorts): (root: Descriptor) => Promise<readonly ImageManifest[]> {
  const images = new Map(ports.store.list().map((image) => [image.manifest.digest, image]))
  return (root) => readBelow(ports, images, root, maxIndexDepth)
}

/** In the order of the index. An index that is not here, or is damaged, has none. */
async function readBelow(
  ports: ManifestPorts,
  images: ReadonlyMap<Digest, StoredImage>,
  root: Descriptor,
  depth: number,
): Promise<readonly ImageManifest[]> {
  if (!isIndexType(root.mediaType)) return [toManifest(ports, images.get(root.digest), root)]
  const entries = depth > 0 ? await readIndex(ports, root) : []
  const found: (readonly ImageManifest[])[] = []
  for (const entry of entries) found.push(await readBelow(ports, images, entry, depth - 1))
  return found.flat()
}

async function readIndex(
  { content }: ManifestPorts,
  { digest, mediaType }: Descriptor,
): Promise<readonly Descriptor[]> {
  try {
    const text = (await content.read(digest, manifestSizeLimit)).toString('utf8')
    const document = parseManifest(text, { mediaType, what: `index ${digest}` })
    return document.kind === 'index' ? document.manifests : []
  } catch (error) {
    if (isKind(error, 'not-found') || isKind(error, 'invalid')) return []
    throw error
  }
}

function toManifest({ users }: ManifestPorts, image: StoredImage | undefined, descriptor: Descriptor): ImageManifest {
  const isOther = isAttestation(descriptor)
  return {
    descriptor,
    isAvailable: image !== undefined,
    contentBytes: image ? contentBytes(image) : 0,
    unpackedBytes: image?.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) ?? 0,
    platform: descriptor.platform ?? (image && platformOf(image)),
    containers: image ? users.of(image.id).map(({ id }) => id) : [],
    attestedDigest: isOther ? (descriptor.annotations?.['vnd.docker.reference.digest'] ?? '') : undefined,
  }
}

/** Manifest, config and layers, each blob once. */
function contentBytes({ id, manifest, config, layers }: StoredImage): number {
  const blobs = layers.map(({ descriptor, standIn }) => standIn ?? descriptor)
  const sizes = new Map([manifest, ...blobs].map(({ digest, size }) => [digest, size]))
  return [...sizes.set(id, Buffer.byteLength(config)).values()].reduce((sum, size) => sum + size, 0)
}

function platformOf({ id, config }: StoredImage): Platform {
  const { os, architecture, variant } = parseImageConfig(config, `image config ${id}`)
  return { os, architecture, ...(variant !== undefined && { variant }) }
}
