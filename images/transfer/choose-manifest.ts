import { notFound } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { type Index, isAttestation } from '#oci/manifest.ts'
import { isIndexType, isManifestType } from '#oci/media-types.ts'
import { formatPlatform, type Platform, platformScore } from '#oci/platform.ts'

/** The entry of an index that serves the platform best; the first one among equals, as the index's author ordered them.
 *  @throws `not-found` with Docker's text */
export function chooseManifest(index: Index, platform: Platform): Descriptor {
  let best: { readonly descriptor: Descriptor; readonly score: number } | undefined
  for (const descriptor of index.manifests) {
    if (isAttestation(descriptor)) continue
    if (!isManifestType(descriptor.mediaType) && !isIndexType(descriptor.mediaType)) continue
    // An entry that does not tell its platform may be meant for every one.
    const score = descriptor.platform?.os ? platformScore(descriptor.platform, platform) : 1
    if (score > (best?.score ?? 0)) best = { descriptor, score }
  }
  if (best) return best.descriptor
  throw notFound(`no matching manifest for ${formatPlatform(platform)} in the manifest list entries`, {
    code: 'no-matching-platform',
  })
}
