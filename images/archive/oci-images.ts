import type { Digest } from '#base/digest.ts'
import { invalid, isKind } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { isAttestation, type Manifest, parseManifest } from '#oci/manifest.ts'
import { isIndexType, isManifestType } from '#oci/media-types.ts'
import type { Platform } from '#oci/platform.ts'
import type { BlobSource } from '../transfer/blob-source.ts'

/** A manifest that a root of the archive leads to, with all of the way to it in the archive. */
export interface OciManifest {
  readonly root: Descriptor
  readonly manifest: Pick<Manifest, 'config' | 'layers'>
  /** As its entry tells it; undefined where it does not. */
  readonly platform: Platform | undefined
}

const maxDepth = 4

/** Of one root, and of all. */
const maxManifests = 1000
const maxManifestsOfAll = 100_000

/** Manifests and indexes of one archive together, as far as they differ. */
const maxBytes = 64 << 20

/** Every image manifest below the roots, each document read once. Docker writes indexes whose other platforms are not in the archive: those
 *  are passed over.   @throws `invalid`, `data-loss` */
export async function findManifests(
  source: BlobSource,
  roots: readonly Descriptor[],
  signal: AbortSignal,
): Promise<readonly OciManifest[]> {
  const read = documentReader(source, signal)
  const found: OciManifest[] = []
  let visits = 0
  const images = roots.filter((one) => !isAttestation(one))
  for (const root of new Map(images.map((one) => [one.digest, one])).values()) {
    const seen = new Set<Digest>()
    const visit = async (entry: Entry, depth: number): Promise<void> => {
      const { digest, platform } = entry
      if (seen.has(digest)) return
      seen.add(digest)
      visits += 1
      if (seen.size > maxManifests) throw invalid(`index ${root.digest} leads to more than ${maxManifests} manifests`)
      if (visits > maxManifestsOfAll) throw invalid(`the archive names more than ${maxManifestsOfAll} manifests`)
      const document = await read(entry)
      if (document?.manifest) found.push({ root, manifest: document.manifest, platform })
      if (depth < maxDepth) for (const one of document?.entries ?? []) await visit(one, depth + 1)
    }
    await visit(root, 1)
  }
  return found
}

type Entry = Pick<Descriptor, 'mediaType' | 'digest' | 'size' | 'platform'>

/** What is needed of a manifest or an index: hostile documents are large elsewhere. */
interface Document {
  readonly manifest?: OciManifest['manifest']
  readonly entries?: readonly Entry[]
}

function documentReader(source: BlobSource, signal: AbortSignal): (entry: Entry) => Promise<Document | undefined> {
  const known = new Map<string, Document | undefined>()
  let bytesLeft = maxBytes
  return async (entry) => {
    const { digest, mediaType } = entry
    if (!(isIndexType(mediaType) || isManifestType(mediaType))) return undefined
    const key = `${mediaType} ${digest}`
    if (known.has(key)) return known.get(key)
    signal.throwIfAborted()
    const bytes = await source.readManifest(entry, signal).catch(unlessMissing)
    bytesLeft -= bytes?.length ?? 0
    if (bytesLeft < 0) throw invalid(`the manifests of the archive have more than ${maxBytes} bytes together`)
    const document = bytes && parseDocument(bytes, entry)
    known.set(key, document)
    return document
  }
}

function parseDocument(bytes: Buffer, { digest, mediaType }: Entry): Document {
  const parsed = parseManifest(bytes.toString('utf8'), { mediaType, what: `manifest ${digest}` })
  if (parsed.kind === 'manifest') {
    return { manifest: { config: toEntry(parsed.config), layers: parsed.layers.map(toEntry) } }
  }
  return { entries: parsed.manifests.filter((one) => !isAttestation(one)).map(toEntry) }
}

function toEntry({ mediaType, digest, size, platform }: Descriptor): Entry {
  return { mediaType, digest, size, ...(platform && { platform }) }
}

function unlessMissing(error: unknown): undefined {
  if (!isKind(error, 'not-found')) throw error
}
