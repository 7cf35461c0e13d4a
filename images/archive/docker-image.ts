import { type Digest, digestOf } from '#base/digest.ts'
import { dataLoss, invalid } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { imageConfigSizeLimit, parseImageConfig } from '#oci/image-config.ts'
import type { Manifest } from '#oci/manifest.ts'
import { mediaTypes } from '#oci/media-types.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { Lease } from '../content/leases.ts'
import { inflateInto } from '../layers/inflate.ts'
import type { LayerUnpackPorts } from '../layers/unpack.ts'
import type { BlobSource } from '../transfer/blob-source.ts'
import { formatManifest } from '../transfer/create-image.ts'
import { checkLayerCount } from '../transfer/fetch-content.ts'
import type { DockerEntry } from './archive-index.ts'
import { archiveSource, takeFile } from './archive-source.ts'
import { type Compression, compressionOf } from './compression.ts'
import { blobPath } from './documents.ts'
import type { TreeReader } from './tree-reader.ts'

export interface DockerImagePorts extends LayerUnpackPorts {
  readonly content: ContentStore
}

export interface DockerImage {
  readonly root: Descriptor
  readonly manifest: Manifest
  readonly source: BlobSource
}

/**
 * An image of a docker-archive, which knows no manifest: one is made, with the layers as they are. What names its own digest, or is plain
 * and so has that of its diffId, is taken from the archive when it is needed; other layers are put into the store under the lease.
 * @throws `invalid`, `not-found`
 */
export async function readDockerImage(
  ports: DockerImagePorts,
  { files, entry, lease, signal }: { files: TreeReader; entry: DockerEntry; lease: Lease; signal: AbortSignal },
): Promise<DockerImage> {
  const config = await files.read(entry.config, imageConfigSizeLimit)
  const id = digestOf(config)
  const { diffIds } = parseImageConfig(config.toString('utf8'), `image config ${id}`)
  if (diffIds.length !== entry.layers.length) {
    throw invalid(`invalid manifest, layers length mismatch: expected ${diffIds.length}, got ${entry.layers.length}`)
  }
  checkLayerCount(diffIds.length)
  const made = new Map<Digest, Buffer | string>([[id, config]])
  const layers: Descriptor[] = []
  for (const [index, path] of entry.layers.entries()) {
    const diffId = diffIds[index] as Digest
    const layer = await readLayer(ports, { files, path, diffId, lease, signal })
    if (layer.path !== undefined) made.set(layer.descriptor.digest, layer.path)
    layers.push(layer.descriptor)
  }
  const configDescriptor = { mediaType: mediaTypes.ociConfig, digest: id, size: config.length }
  const bytes = Buffer.from(formatManifest(configDescriptor, layers))
  const digest = digestOf(bytes)
  made.set(digest, bytes)
  return {
    root: { mediaType: mediaTypes.ociManifest, digest, size: bytes.length },
    manifest: {
      kind: 'manifest',
      mediaType: mediaTypes.ociManifest,
      config: configDescriptor,
      layers,
      annotations: {},
    },
    source: archiveSource(ports, files, made),
  }
}

interface LayerPlace {
  readonly files: TreeReader
  readonly path: string
  readonly diffId: Digest
  readonly lease: Lease
  readonly signal: AbortSignal
}

const typeOf = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
} as const

async function readLayer(
  ports: DockerImagePorts,
  place: LayerPlace,
): Promise<{ readonly descriptor: Descriptor; readonly path?: string }> {
  const { files, path, diffId } = place
  const { size, compression } = await lookAt(files, path)
  // No registry would know these: they are stored plain.
  if (compression === 'xz' || compression === 'bzip2') return { descriptor: await storeInflated(ports, place) }
  const mediaType = typeOf[compression]
  if (compression === 'none') return { descriptor: { mediaType, digest: diffId, size }, path }
  const digest = /^blobs\/sha256\/[0-9a-f]{64}$/.test(path) && (`sha256:${path.slice(-64)}` as Digest)
  if (digest && blobPath(digest) === path) return { descriptor: { mediaType, digest, size }, path }
  return { descriptor: { mediaType, ...(await storeAsIs(ports, place)) } }
}

async function lookAt(files: TreeReader, path: string): Promise<{ size: number; compression: Compression }> {
  await using file = await files.open(path)
  const { size } = await file.stat()
  const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0)
  return { size, compression: compressionOf(buffer.subarray(0, bytesRead)) }
}

async function storeAsIs(ports: DockerImagePorts, { files, path, lease, signal }: LayerPlace) {
  await using ingest = await ports.content.openIngest()
  await takeFile(ports, files, path, { ingest, signal })
  const found = { digest: ingest.digest(), size: ingest.size }
  lease.hold(found.digest)
  await ingest.commit(found.digest, found.size)
  return found
}

/** Plain bytes have the digest of their diffId, so that they are needed once, whatever names them. */
async function storeInflated(
  ports: DockerImagePorts,
  { files, path, diffId, lease, signal }: LayerPlace,
): Promise<Descriptor> {
  lease.hold(diffId)
  const known = await ports.content.find(diffId)
  if (known) return { mediaType: mediaTypes.ociLayer, ...known }
  await using ingest = await ports.content.openIngest()
  await using file = await files.open(path)
  const { digest, size } = await inflateInto(ports, ingest, { fd: file.fd }, signal)
  if (digest !== diffId) throw dataLoss(`layer ${diffId} contains other bytes: their digest is ${digest}`)
  await ingest.commit(digest, size)
  return { mediaType: mediaTypes.ociLayer, digest, size }
}
