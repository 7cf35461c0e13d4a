import { notFound } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import type { Manifest } from '#oci/manifest.ts'
import { isPlainLayerType } from '#oci/media-types.ts'
import { formatReference, type Reference } from '#oci/reference.ts'
import type { Database } from '#state/database.ts'
import type { Lease, Leases } from '../content/leases.ts'
import { type Compression, type CompressPorts, compressLayer } from '../layers/compress.ts'
import { openLayerBlob } from '../layers/layer-blob.ts'
import type { PushRepository } from '../registry/push-repository.ts'
import { type GarbagePorts, letGo } from '../store/garbage.ts'
import { contentOf, type ImageKey, type StoredImage } from '../store/image-store.ts'
import { commitBytes } from './fetch-content.ts'
import type { PushProgress } from './progress.ts'
import { type LayerPush, type PushLayersPorts, pushLayers } from './push-layers.ts'
import { type PlannedManifest, type PushPlan, planPush } from './push-plan.ts'
import { blobsByDiffId, mountSources } from './push-sources.ts'
import { withLayers } from './rebuild-manifest.ts'

export interface PushImagePorts extends PushLayersPorts, GarbagePorts, CompressPorts {
  /** For layers that were made here. */
  readonly pushCompression: Compression
  readonly database: Database
  readonly leases: Leases
}

export interface ImagePush {
  readonly repository: PushRepository
  readonly reference: Reference & { readonly tag: string }
  readonly key: ImageKey
  /** False: the one manifest of the image, not the index that it came by. */
  readonly isWhole: boolean
  readonly report: (progress: PushProgress) => void
  readonly signal: AbortSignal
}

/** Makes a tag of the repository point at an image. When this resolves, the digest by which the registry has it leads to the image here as
 *  well, on disk. A failure leaves nothing here. */
export async function pushImage(ports: PushImagePorts, push: ImagePush): Promise<void> {
  const image = ports.store.withId(push.key.id).find(({ root }) => root.digest === push.key.root)
  if (!image) throw notFound(`No such image: ${push.key.id}`, { code: 'no-such-image' })
  const lease = ports.leases.open()
  for (const key of contentOf(image)) lease.hold(key)
  try {
    const plan = await planPush(ports.content, image, push.isWhole)
    const pushed =
      plan.indexes.length > 0
        ? await pushIndex(ports, push, { plan, image, lease })
        : await pushManifest(ports, push, { plan, image, lease })
    record(ports, push.reference, pushed)
    await ports.database.sync()
    const { tag } = push.reference
    const { digest, size: sizeBytes } = pushed.root
    push.report({ status: `${tag}: digest: ${digest} size: ${sizeBytes}` })
    push.report({ pushed: { tag, digest, sizeBytes } })
  } finally {
    await letGo(ports, lease)
  }
}

interface PlannedImage {
  readonly plan: PushPlan
  readonly image: StoredImage
  readonly lease: Lease
}

/** Byte for byte, with everything that it leads to.   @returns the row that was pushed */
async function pushIndex(
  ports: PushImagePorts,
  push: ImagePush,
  { plan, image, lease }: PlannedImage,
): Promise<StoredImage> {
  for (const { descriptor, manifest } of plan.manifests) {
    for (const { digest } of [descriptor, manifest.config, ...manifest.layers]) lease.hold(digest)
  }
  const layers = plan.manifests.flatMap(({ manifest, diffIds }) =>
    manifest.layers.map((blob, index): LayerPush => ({ digest: blob.digest, diffId: diffIds[index], blobs: [blob] })),
  )
  await pushLayers(ports, layersRun(ports, push), layers)
  for (const { descriptor, bytes, manifest } of plan.manifests) {
    await pushConfig(ports, push, manifest)
    await push.repository.putManifest({ descriptor, bytes, target: descriptor.digest }, push.signal)
  }
  for (const { descriptor, bytes } of plan.indexes) {
    const target = descriptor.digest === image.root.digest ? push.reference.tag : descriptor.digest
    await push.repository.putManifest({ descriptor, bytes, target }, push.signal)
  }
  return image
}

/** As it is, or with other blobs of the same layers where those are what there is.   @returns the row that was pushed */
async function pushManifest(
  ports: PushImagePorts,
  push: ImagePush,
  { plan, image, lease }: PlannedImage,
): Promise<StoredImage> {
  const [planned] = plan.manifests as readonly [PlannedManifest]
  const layers = layersToPush(ports, { planned, image, lease })
  const delivered = await pushLayers(ports, layersRun(ports, push), layers)
  await pushConfig(ports, push, planned.manifest)
  const { descriptor, bytes } = withLayers(planned, delivered)
  await push.repository.putManifest({ descriptor, bytes, target: push.reference.tag }, push.signal)
  lease.hold(descriptor.digest)
  if (!(await ports.content.find(descriptor.digest))) await commitBytes(ports.content, descriptor, bytes)
  return {
    ...image,
    root: descriptor,
    manifest: descriptor,
    layers: image.layers.map((layer, index) => ({ ...layer, descriptor: delivered[index] ?? layer.descriptor })),
    addedAt: Date.now(),
  }
}

/** A plain layer that no registry has seen is compressed: people would wait for it to be sent as it is. */
function layersToPush(
  ports: PushImagePorts,
  { planned, image, lease }: { planned: PlannedManifest; image: StoredImage; lease: Lease },
): LayerPush[] {
  const known = blobsByDiffId(ports.store, image.id)
  const isAtRegistry = ports.store
    .referencesOf(image.id)
    .some(({ kind, key }) => kind === 'digest' && key.root === image.root.digest)
  return planned.manifest.layers.map((own, index) => {
    const diffId = planned.diffIds[index]
    const others = (diffId ? known(diffId) : []).filter(({ digest, mediaType }) => {
      return digest !== own.digest && !isPlainLayerType(mediaType)
    })
    return {
      digest: own.digest,
      diffId,
      blobs: isAtRegistry || !isPlainLayerType(own.mediaType) || diffId === undefined ? [own, ...others] : others,
      make: (signal) => makeBlob(ports, { image, index, lease }, signal),
    }
  })
}

async function makeBlob(
  ports: PushImagePorts,
  { image, index, lease }: { image: StoredImage; index: number; lease: Lease },
  signal: AbortSignal,
): Promise<Descriptor> {
  const { file, descriptor } = await openLayerBlob(ports, image, index, signal)
  await using _ = file
  if (!isPlainLayerType(descriptor.mediaType)) return descriptor
  return await compressLayer(ports, { file, compression: ports.pushCompression, lease }, signal)
}

function layersRun({ store }: PushImagePorts, { repository, reference, report, signal }: ImagePush) {
  return { repository, sourcesOf: mountSources(store, reference), report, signal }
}

/** Small, so without a line of its own, as in Docker. */
async function pushConfig(
  { content }: PushImagePorts,
  { repository, signal }: ImagePush,
  { config }: Manifest,
): Promise<void> {
  if (await repository.hasBlob(config, signal)) return
  await using file = await content.open(config.digest)
  await repository.uploadBlob({ blob: config, file, signal })
}

/** The image may have been removed meanwhile: it does not come back. */
function record({ store, database }: PushImagePorts, { domain, path }: Reference, pushed: StoredImage): void {
  const key = { root: pushed.root.digest, id: pushed.id }
  const name = formatReference({ domain, path, digest: key.root })
  database.transaction(() => {
    if (store.withId(key.id).length === 0) return
    const before = store.findReference(name)?.key
    if (before?.root === key.root && before.id === key.id) return
    store.add(pushed)
    store.setReference({ name, kind: 'digest', key, setAt: Date.now() })
  })
}
