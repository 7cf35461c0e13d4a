import { BerthError, dataLoss, invalid, isKind } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { type ImageConfig, imageConfigSizeLimit, parseImageConfig } from '#oci/image-config.ts'
import { type Index, isImageConfigType, type Manifest, manifestSizeLimit, parseManifest } from '#oci/manifest.ts'
import { isLayerType, mediaTypes } from '#oci/media-types.ts'
import type { ContentStore, Ingest } from '../content/content-store.ts'
import type { BlobRequest, BlobSource } from './blob-source.ts'

/** Far more than overlayfs or people need. */
const maxLayers = 500

/** A manifest or index from the store, or from the source into the store.   @throws `invalid` for what is neither */
export async function fetchManifest(
  content: ContentStore,
  source: BlobSource,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<Manifest | Index> {
  const { digest, mediaType } = descriptor
  const stored = await content.find(digest)
  const bytes = stored ? await content.read(digest, manifestSizeLimit) : await source.readManifest(descriptor, signal)
  if (bytes.length !== descriptor.size) {
    throw dataLoss(`manifest ${digest} has ${bytes.length} bytes where ${descriptor.size} were announced`)
  }
  const parsed = parseManifest(bytes.toString('utf8'), { mediaType, what: `manifest ${digest}` })
  if (!stored) await commitBytes(content, descriptor, bytes)
  return parsed
}

export interface FetchedConfig {
  readonly text: string
  readonly config: ImageConfig
}

/** The image config of a manifest, from the store or from the source into the store.   @throws `invalid` */
export async function fetchConfig(
  content: ContentStore,
  source: BlobSource,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<FetchedConfig> {
  const { config: descriptor, layers } = manifest
  if (!isImageConfigType(descriptor.mediaType)) {
    throw invalid(`the manifest describes '${descriptor.mediaType}', which is not a container image`, {
      code: 'not-an-image',
    })
  }
  if (descriptor.size > imageConfigSizeLimit) {
    throw invalid(
      `image config ${descriptor.digest} has ${descriptor.size} bytes; at most ${imageConfigSizeLimit} are read`,
    )
  }
  checkLayers(layers)
  if (!(await content.find(descriptor.digest))) await storeBlob(content, source, { descriptor, signal })
  const text = (await content.read(descriptor.digest, imageConfigSizeLimit)).toString('utf8')
  const config = parseImageConfig(text, `image config ${descriptor.digest}`)
  if (config.os !== 'linux') {
    throw invalid(`image operating system "${config.os}" cannot be used on this platform: only linux images can`)
  }
  if (config.diffIds.length !== layers.length) {
    throw invalid(
      `image config ${descriptor.digest} lists ${config.diffIds.length} layers, but its manifest has ${layers.length}`,
    )
  }
  return { text, config }
}

/** Brings a blob into the store; the bytes are verified before they are a blob, and what an earlier attempt left is taken up.
 *  @throws `data-loss` with Docker's text */
export async function storeBlob(
  content: ContentStore,
  source: BlobSource,
  request: Omit<BlobRequest, 'ingest'> & { readonly onFetched?: () => void },
): Promise<void> {
  const { descriptor, onFetched } = request
  await using ingest = await content.openIngest(descriptor)
  for (;;) {
    const mayBeOurs = ingest.resumed > 0
    try {
      await source.fetchBlob({ ...request, ingest })
      onFetched?.()
      await commitVerified(ingest, descriptor)
      return
    } catch (error) {
      if (!isKind(error, 'data-loss')) throw error
      await ingest.restart()
      // What an earlier attempt left may have suffered from a power cut: that is no fault of the source.
      if (!mayBeOurs && source.distrust?.(descriptor) !== true) throw error
    }
  }
}

async function commitVerified(ingest: Ingest, { digest, size }: Descriptor): Promise<void> {
  try {
    await ingest.commit(digest, size)
  } catch (error) {
    if (!isKind(error, 'data-loss')) throw error
    throw new BerthError('data-loss', `filesystem layer verification failed for digest ${digest}`, {
      cause: error,
      code: 'blob-digest',
    })
  }
}

/** Makes bytes at hand a blob.   @throws `data-loss` when they are not the descriptor's */
export async function commitBytes(content: ContentStore, { digest, size }: Descriptor, bytes: Buffer): Promise<void> {
  await using ingest = await content.openIngest()
  await ingest.write(bytes)
  await ingest.commit(digest, size)
}

/** @throws `invalid` */
export function checkLayerCount(count: number): void {
  if (count > maxLayers) throw invalid(`the image has ${count} layers; at most ${maxLayers} are supported`)
}

function checkLayers(layers: readonly Descriptor[]): void {
  checkLayerCount(layers.length)
  for (const { mediaType, digest } of layers) {
    if (isLayerType(mediaType)) continue
    if (mediaType === mediaTypes.dockerForeignLayer || mediaType.includes('nondistributable')) {
      throw invalid(`layer ${digest} is a foreign layer, which is to be fetched from elsewhere; that is not supported`)
    }
    throw invalid(`layer ${digest} is of type '${mediaType.slice(0, 100)}', which is not supported`)
  }
}
