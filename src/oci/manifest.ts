import { invalid } from '#base/errors.ts'
import { type Descriptor, readDescriptor } from './descriptor.ts'
import { JsonReader } from './json.ts'
import { isIndexType, isManifestType, mediaTypes } from './media-types.ts'

/** No manifest or index is larger than this; what is comes from somebody who wishes us ill. */
export const manifestSizeLimit = 4 << 20

/** One platform's config and layers. @see image-spec v1.1 manifest.md */
export interface Manifest {
  readonly kind: 'manifest'
  readonly mediaType: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly annotations: Readonly<Record<string, string>>
}

/** A list of manifests. @see image-spec v1.1 image-index.md */
export interface Index {
  readonly kind: 'index'
  readonly mediaType: string
  readonly manifests: readonly Descriptor[]
  readonly annotations: Readonly<Record<string, string>>
}

/**
 * Reads a manifest or an index. The same bytes must not pass for both, and must be what `mediaType` (the registry's
 * Content-Type, or the descriptor's) says: see CVE-2021-41190.   @throws `invalid`
 */
export function parseManifest(
  text: string,
  { mediaType, what }: { mediaType: string; what: string },
): Manifest | Index {
  const reader = JsonReader.parse(text, what)
  const schemaVersion = reader.field('schemaVersion').raw
  if (schemaVersion !== 2)
    throw invalid(`${what} has schemaVersion ${JSON.stringify(schemaVersion)?.slice(0, 20)}; only 2 is supported`)

  const declared = reader.field('mediaType').optional((type) => type.string())
  if (declared !== undefined && declared !== mediaType)
    throw invalid(`${what} says it is ${declared.slice(0, 200)} but was served as ${mediaType}`)

  const annotations = reader.field('annotations').optional((map) => map.stringMap()) ?? {}
  const isManifest = reader.field('config').present || reader.field('layers').present
  const isIndex = reader.field('manifests').present
  if (isManifest && isIndex) throw invalid(`${what} is both a manifest and an index`)

  if (isIndexType(mediaType) && isIndex) {
    const manifests = reader.field('manifests').array(1000).map(readDescriptor)
    return { kind: 'index', mediaType, manifests, annotations }
  }
  if (isManifestType(mediaType) && isManifest) {
    const config = readDescriptor(reader.field('config'))
    const layers = (reader.field('layers').optional((list) => list.array(1000)) ?? []).map(readDescriptor)
    return { kind: 'manifest', mediaType, config, layers, annotations }
  }
  throw invalid(`${what} is neither an image manifest nor an index (served as ${mediaType || 'nothing'})`)
}

/** Manifests in an index that describe others instead of being images (BuildKit's attestations). */
export function isAttestation(descriptor: Descriptor): boolean {
  const platform = descriptor.platform
  return (
    descriptor.annotations?.['vnd.docker.reference.type'] === 'attestation-manifest' ||
    (platform?.os === 'unknown' && platform.architecture === 'unknown')
  )
}

export const isImageConfigType = (mediaType: string): boolean =>
  mediaType === mediaTypes.ociConfig || mediaType === mediaTypes.dockerConfig
