import type { Digest } from '#base/digest.ts'
import { invalid } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { imageConfigSizeLimit, parseImageConfig } from '#oci/image-config.ts'
import { isImageConfigType, type Manifest, manifestSizeLimit, parseManifest } from '#oci/manifest.ts'
import { isIndexType } from '#oci/media-types.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { StoredImage } from '../store/image-store.ts'

export interface PlannedDocument {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
}

export interface PlannedManifest extends PlannedDocument {
  readonly manifest: Manifest
  /** The lowest first; one for each layer, where the config tells them. */
  readonly diffIds: readonly (Digest | undefined)[]
}

/** What goes to the registry, in this order. */
export interface PushPlan {
  readonly manifests: readonly PlannedManifest[]
  /** Those below others first. */
  readonly indexes: readonly PlannedDocument[]
}

/** As deep as a pull reads them. */
const maxIndexDepth = 4

/**
 * An image that came by an index is pushed with all of it, byte for byte, when every blob of it is here; else its own platform's manifest
 * alone, as dockerd does.   @param isWhole false: never more than the one manifest
 */
export async function planPush(content: ContentStore, image: StoredImage, isWhole: boolean): Promise<PushPlan> {
  if (isWhole && isIndexType(image.root.mediaType)) {
    const whole = await planTree(content, image.root, 0)
    if (whole) return whole
  }
  return { manifests: [await planManifest(content, image.manifest)], indexes: [] }
}

/** Undefined when something of it is not here. */
async function planTree(content: ContentStore, root: Descriptor, depth: number): Promise<PushPlan | undefined> {
  if (depth >= maxIndexDepth) throw invalid(`index ${root.digest} leads to indexes more than ${maxIndexDepth} deep`)
  if (!(await content.find(root.digest))) return undefined
  if (!isIndexType(root.mediaType)) {
    const planned = await planManifest(content, root)
    return (await hasAll(content, planned)) ? { manifests: [planned], indexes: [] } : undefined
  }
  const document = await readDocument(content, root)
  const parsed = parse(document)
  const below: PushPlan[] = []
  for (const child of parsed.kind === 'index' ? parsed.manifests : []) {
    const planned = await planTree(content, child, depth + 1)
    if (!planned) return undefined
    below.push(planned)
  }
  return {
    manifests: below.flatMap(({ manifests }) => manifests),
    indexes: [...below.flatMap(({ indexes }) => indexes), document],
  }
}

async function planManifest(content: ContentStore, descriptor: Descriptor): Promise<PlannedManifest> {
  const document = await readDocument(content, descriptor)
  const manifest = parse(document)
  if (manifest.kind !== 'manifest') throw invalid(`manifest ${descriptor.digest} is an index`)
  return { ...document, manifest, diffIds: await diffIdsOf(content, manifest) }
}

async function hasAll(content: ContentStore, { manifest }: PlannedManifest): Promise<boolean> {
  for (const { digest } of [manifest.config, ...manifest.layers]) if (!(await content.find(digest))) return false
  return true
}

/** Attestations have layers that are no layers of an image. */
async function diffIdsOf(content: ContentStore, { config, layers }: Manifest): Promise<(Digest | undefined)[]> {
  const none = layers.map(() => undefined)
  if (!isImageConfigType(config.mediaType) || !(await content.find(config.digest))) return none
  const text = (await content.read(config.digest, imageConfigSizeLimit)).toString('utf8')
  const { diffIds } = parseImageConfig(text, `image config ${config.digest}`)
  return diffIds.length === layers.length ? [...diffIds] : none
}

async function readDocument(content: ContentStore, descriptor: Descriptor): Promise<PlannedDocument> {
  return { descriptor, bytes: await content.read(descriptor.digest, manifestSizeLimit) }
}

function parse({ descriptor: { digest, mediaType }, bytes }: PlannedDocument) {
  return parseManifest(bytes.toString('utf8'), { mediaType, what: `manifest ${digest}` })
}
