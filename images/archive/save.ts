import type { FileHandle } from 'node:fs/promises'
import { type Digest, digestOf } from '#base/digest.ts'
import { dataLoss, notFound } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { parseImageConfig } from '#oci/image-config.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { formatPlatform, type Platform, platformScore } from '#oci/platform.ts'
import type { Database } from '#state/database.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { Lease } from '../content/leases.ts'
import { openLayerBlob } from '../layers/layer-blob.ts'
import { type GarbagePorts, letGo } from '../store/garbage.ts'
import type { StoredImage } from '../store/image-store.ts'
import type { EventSink } from '../store/ports.ts'
import { labelsOf } from '../store/read-image.ts'
import { formatManifest } from '../transfer/create-image.ts'
import {
  blobPath,
  formatArchiveManifest,
  formatIndex,
  formatRepositories,
  type ImageEntry,
  layoutMarker,
} from './documents.ts'
import { type ArchivedImage, selectImages } from './select-images.ts'
import { tarEnd, tarHeader, tarPadding } from './tar-header.ts'

export interface SavePorts extends GarbagePorts {
  /** Path of the berth-unpack executable. */
  readonly executable: string
  readonly database: Database
  readonly events: EventSink
}

export interface SaveRequest {
  /** References, repositories (all of their tags), ids. */
  readonly names: readonly string[]
  /** Only this one is wanted. */
  readonly platform?: Platform
}

/** One read and one write of the stream. */
const chunkBytes = 1 << 20

/**
 * A tar of images that is an OCI layout and a docker-archive at once, as Docker 25 and later write it; blobs go out as they are stored.
 * Everything is found when this resolves. The stream must be read to its end or returned: until then it holds the blobs. A large piece must be
 * done with when the next one is asked for: its memory is used again.
 * @throws `not-found`, `invalid` with Docker's texts
 */
export async function saveImages(
  ports: SavePorts,
  { names, platform }: SaveRequest,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const selected = selectImages(ports.store, names)
  for (const { image } of selected) checkPlatform(image, platform)
  const archive = writeArchive(ports, selected, signal)
  // Up to its first, empty piece it looks for everything; from then on its end gives up what it holds.
  await archive.next()
  return archive
}

function checkPlatform({ id, config }: StoredImage, platform: Platform | undefined): void {
  if (!platform || platformScore(parseImageConfig(config, `image config ${id}`), platform) > 0) return
  throw notFound(`no suitable export target found for platform ${formatPlatform(platform)}`)
}

async function* writeArchive(
  ports: SavePorts,
  selected: readonly ArchivedImage[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const lease = ports.leases.open()
  try {
    const blobs = new Map<Digest, Blob>()
    const entries: ImageEntry[] = []
    for (const archived of selected) entries.push(await planImage(ports, lease, { archived, blobs, signal }))
    yield new Uint8Array()
    yield* writeBlobs(ports.content, blobs, signal)
    yield* writeDocuments(entries)
    yield tarEnd
    tell(ports, selected)
  } finally {
    await letGo(ports, lease)
  }
}

interface Blob {
  readonly size: number
  /** Made for the archive; undefined for one of the store. */
  readonly bytes?: Buffer
}

/** Finds the parts of an image and adds them to `blobs`. Where a layer's own blob is not here another compression of it serves, under a
 *  manifest that says so. */
async function planImage(
  ports: SavePorts,
  lease: Lease,
  { archived, blobs, signal }: { archived: ArchivedImage; blobs: Map<Digest, Blob>; signal: AbortSignal },
): Promise<ImageEntry> {
  const { image, tags } = archived
  for (const { descriptor } of image.layers) lease.hold(descriptor.digest)
  const layers: { descriptor: Descriptor; diffId: Digest }[] = []
  for (const index of image.layers.keys()) {
    const { descriptor, diffId, file } = await openLayerBlob(ports, image, index, signal)
    lease.hold(descriptor.digest)
    await file.close()
    blobs.set(descriptor.digest, { size: descriptor.size })
    layers.push({ descriptor, diffId })
  }
  lease.hold(image.id)
  const { content } = ports
  const config = await content.find(image.id)
  if (!config) throw notFound(`the config of image ${image.id} is not in the store; pull the image again`)
  blobs.set(image.id, config)
  const manifest = await planManifest(content, lease, { image, configSize: config.size, layers, blobs })
  return { manifest, config: image.id, parent: image.parent, layers, tags }
}

async function planManifest(
  content: ContentStore,
  lease: Lease,
  plan: { image: StoredImage; configSize: number; layers: ImageEntry['layers']; blobs: Map<Digest, Blob> },
): Promise<Descriptor> {
  const { image, configSize, blobs } = plan
  const layers = plan.layers.map(({ descriptor }) => descriptor)
  lease.hold(image.manifest.digest)
  const isWhole = layers.every(({ digest }, index) => digest === image.layers[index]?.descriptor.digest)
  if (isWhole && (await content.find(image.manifest.digest))) {
    blobs.set(image.manifest.digest, { size: image.manifest.size })
    return image.manifest
  }
  const config = { mediaType: mediaTypes.ociConfig, digest: image.id, size: configSize }
  const bytes = Buffer.from(formatManifest(config, layers))
  const digest = digestOf(bytes)
  blobs.set(digest, { size: bytes.length, bytes })
  return { mediaType: mediaTypes.ociManifest, digest, size: bytes.length }
}

async function* writeBlobs(
  content: ContentStore,
  blobs: ReadonlyMap<Digest, Blob>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield tarHeader('blobs/', 0)
  yield tarHeader('blobs/sha256/', 0)
  for (const [digest, { size, bytes }] of [...blobs].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    yield tarHeader(blobPath(digest), size)
    if (bytes) yield bytes
    else yield* readBlob(content, { digest, size }, signal)
    yield tarPadding(size)
  }
}

/** The next piece is read while the last one is on its way; three places in turn keep memory flat, whatever the size. */
async function* readBlob(
  content: ContentStore,
  { digest, size }: { digest: Digest; size: number },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await content.open(digest)
  const places = [0, 1, 2].map(() => Buffer.allocUnsafe(Math.min(chunkBytes, size)))
  let next = readPiece(file, places[0], 0)
  for (let position = 0, turn = 1; position < size; turn += 1) {
    const piece = await next
    if (piece.length === 0) throw dataLoss(`content ${digest} has ${position} bytes where ${size} belong`)
    signal.throwIfAborted()
    position += piece.length
    next = readPiece(file, places[turn % places.length]?.subarray(0, size - position), position)
    // It may fail while nobody waits for it.
    next.catch(() => undefined)
    yield piece
  }
  await next
}

async function readPiece(file: FileHandle, place: Buffer | undefined, position: number): Promise<Uint8Array> {
  if (!place || place.length === 0) return new Uint8Array()
  const { bytesRead } = await file.read(place, 0, place.length, position)
  return place.subarray(0, bytesRead)
}

function* writeDocuments(entries: readonly ImageEntry[]): Generator<Uint8Array, void, undefined> {
  const documents: readonly (readonly [string, string | undefined])[] = [
    ['index.json', formatIndex(entries)],
    ['manifest.json', formatArchiveManifest(entries)],
    ['oci-layout', layoutMarker],
    ['repositories', formatRepositories(entries)],
  ]
  for (const [name, text] of documents) {
    if (text === undefined) continue
    const bytes = Buffer.from(text)
    yield tarHeader(name, bytes.length)
    yield bytes
    yield tarPadding(bytes.length)
  }
}

function tell({ database, events }: SavePorts, selected: readonly ArchivedImage[]): void {
  database.transaction(() => {
    for (const { image } of selected) {
      const attributes = { ...labelsOf(image), name: image.id }
      events.publish({ type: 'image', action: 'save', actor: { id: image.id, attributes } })
    }
  })
}
