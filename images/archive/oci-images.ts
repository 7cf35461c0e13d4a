import { invalid, isKind } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { isAttestation, type Manifest, parseManifest } from '#oci/manifest.ts'
import { isIndexType, isManifestType } from '#oci/media-types.ts'
import type { Platform } from '#oci/platform.ts'
import type { BlobSource } from '../transfer/blob-source.ts'

/** A manifest that a root of the archive leads to, with all of the way to it in the archive. */
export interface OciManifest {
  readonly root: Descriptor
  readonly manifest: Manifest
  /** As its entry tells it; undefined where it does not. */
  readonly platform: Platform | undefined
}

const maxDepth = 4

/** Manifests and indexes below one root; an index may name the same one again and again. */
const maxVisits = 1000

/** Every image manifest below the root. Docker writes indexes whose other platforms are not in the archive: those are passed over.
 *  @throws `invalid`, `data-loss` */
export async function findManifests(
  source: BlobSource,
  root: Descriptor,
  signal: AbortSignal,
): Promise<readonly OciManifest[]> {
  const found: OciManifest[] = []
  let visits = 0
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    const { digest, mediaType, platform } = descriptor
    visits += 1
    if (visits > maxVisits) throw invalid(`index ${root.digest} leads to more than ${maxVisits} manifests`)
    if (isAttestation(descriptor) || !(isIndexType(mediaType) || isManifestType(mediaType))) return
    const bytes = await source.readManifest(descriptor, signal).catch(unlessMissing)
    if (!bytes) return
    const parsed = parseManifest(bytes.toString('utf8'), { mediaType, what: `manifest ${digest}` })
    if (parsed.kind === 'manifest') found.push({ root, manifest: parsed, platform })
    else if (depth < maxDepth) for (const one of parsed.manifests) await visit(one, depth + 1)
  }
  await visit(root, 1)
  return found
}

function unlessMissing(error: unknown): undefined {
  if (!isKind(error, 'not-found')) throw error
}
