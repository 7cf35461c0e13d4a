import type { Digest } from '#base/digest.ts'
import { invalid } from '#base/errors.ts'
import { shortId } from '#base/ids.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import type { ImageConfig } from '#oci/image-config.ts'
import type { Index, Manifest } from '#oci/manifest.ts'
import type { Platform } from '#oci/platform.ts'
import type { DiskBudget, Promised } from '../budget/disk-budget.ts'
import type { Lease } from '../content/leases.ts'
import { chainIdsOf } from '../layers/chain-id.ts'
import type { StoredImage, StoredLayer } from '../store/image-store.ts'
import type { BlobSource } from './blob-source.ts'
import { chooseManifest } from './choose-manifest.ts'
import { type DownloadPorts, downloadLayer } from './download-layer.ts'
import { commitBytes, fetchConfig, fetchManifest } from './fetch-content.ts'
import type { PullProgress } from './progress.ts'
import { PullTotal } from './pull-total.ts'
import { withStandIns } from './rebuild-manifest.ts'
import { type UnpackPorts, unpackStoredLayer } from './unpack.ts'

export interface FetchPorts extends DownloadPorts, UnpackPorts {
  readonly budget: DiskBudget
}

export interface ImageFetch {
  readonly source: BlobSource
  readonly root: Descriptor
  readonly platform: Platform
  /** Whether the image with this config is listed already: nothing is told of its layers then. */
  readonly isListed: (id: Digest) => boolean
  /** Blobs that other images name for the layer of this chain. */
  readonly othersOf: (chainId: Digest) => readonly Descriptor[]
  /** Takes every blob and snapshot of the image before it is looked for. */
  readonly lease: Lease
  readonly report: (progress: PullProgress) => void
  readonly signal: AbortSignal
}

/** An index may point at indexes; more than this is a loop or a joke. */
const maxIndexDepth = 4

/** Brings an image into the stores: blobs verified, layers unpacked. The record is the caller's to write.
 *  @throws whatever is wrong with it; what was brought stays under the lease, to be collected */
export async function fetchImage(ports: FetchPorts, fetch: ImageFetch): Promise<StoredImage> {
  const { descriptor, manifest } = await fetchChosenManifest(ports, fetch)
  const { content } = ports
  const { source, lease, signal } = fetch
  lease.hold(manifest.config.digest)
  const { text, config } = await fetchConfig(content, source, manifest, signal)
  const layers = await fetchLayers(ports, fetch, manifest, config)
  const id = manifest.config.digest
  const standIn = await putStandIn(ports, lease, { manifest: descriptor, layers })
  return {
    ...{ root: fetch.root, id, manifest: descriptor, ...(standIn && { standIn }) },
    ...{ config: text, layers, addedAt: Date.now() },
  }
}

async function fetchChosenManifest(
  { content }: FetchPorts,
  { source, root, platform, lease, signal }: ImageFetch,
): Promise<{ descriptor: Descriptor; manifest: Manifest }> {
  let descriptor = root
  for (let depth = 0; depth < maxIndexDepth; depth += 1) {
    lease.hold(descriptor.digest)
    const found: Manifest | Index = await fetchManifest(content, source, descriptor, signal)
    if (found.kind === 'manifest') return { descriptor, manifest: found }
    descriptor = chooseManifest(found, platform)
  }
  throw invalid(`index ${root.digest} leads to indexes more than ${maxIndexDepth} deep`)
}

/** The manifest with the blobs that are here, as a blob; undefined when all are its own. */
async function putStandIn(
  { content }: FetchPorts,
  lease: Lease,
  image: Pick<StoredImage, 'manifest' | 'layers'>,
): Promise<Descriptor | undefined> {
  if (image.layers.every((layer) => layer.standIn === undefined)) return undefined
  const { descriptor, bytes } = await withStandIns(content, image)
  lease.hold(descriptor.digest)
  if (!(await content.find(descriptor.digest))) await commitBytes(content, descriptor, bytes)
  return descriptor
}

async function fetchLayers(
  ports: FetchPorts,
  { source, lease, isListed, othersOf, report, signal }: ImageFetch,
  { layers, config: { digest: config } }: Manifest,
  { diffIds }: ImageConfig,
): Promise<StoredLayer[]> {
  const chainIds = chainIdsOf(diffIds)
  const chain = chainIds.map((chainId, index): LayerWork => {
    const descriptor = layers[index] as Descriptor
    const diffId = diffIds[index] as Digest
    lease.hold(descriptor.digest)
    lease.hold(chainId)
    const id = shortId(descriptor.digest)
    const parentChainId = chainIds[index - 1]
    return { descriptor, diffId, chainId, parentChainId, report: (progress) => report({ id, ...progress }) }
  })
  const blobs = await Promise.all(chain.map((work) => findBlob(ports, work, { lease, othersOf })))
  const missing = chain.filter(({ chainId, report: tell }, index) => {
    const isThere = ports.snapshots.find(chainId)?.kind === 'committed' && blobs[index] !== undefined
    if (!isThere) tell({ status: 'Pulling fs layer' })
    else if (!isListed(config)) tell({ status: 'Already exists' })
    return !isThere
  })
  using room = await ports.budget.admit(`image ${shortId(config)}`, await leastBytes(ports, missing))
  const total = new PullTotal(missing.map(({ descriptor }) => descriptor.size))
  const summed = missing.map((work, index): LayerWork => {
    return { ...work, report: (progress) => work.report(total.add(index, progress)) }
  })
  await fetchMissing(ports, summed, { source, room, signal })
  return chain.map((work, index) => {
    const { descriptor, chainId } = work
    const blob = missing.includes(work) ? descriptor : blobs[index]
    const sizeBytes = ports.snapshots.find(chainId)?.usage?.bytes ?? 0
    return { descriptor, chainId, sizeBytes, ...(blob && blob.digest !== descriptor.digest && { standIn: blob }) }
  })
}

/** A blob of the layer: its own, or another compression that an image here names. */
async function findBlob(
  { content }: FetchPorts,
  { descriptor, chainId }: LayerWork,
  { lease, othersOf }: Pick<ImageFetch, 'lease' | 'othersOf'>,
): Promise<Descriptor | undefined> {
  if (await content.find(descriptor.digest)) return descriptor
  for (const other of othersOf(chainId)) {
    lease.hold(other.digest)
    if (await content.find(other.digest)) return other
  }
  return undefined
}

/** The blobs that are missing, and their layers, which are hardly smaller unpacked. */
async function leastBytes({ content }: FetchPorts, missing: readonly LayerWork[]): Promise<number> {
  let bytes = 0
  for (const { descriptor } of missing) {
    bytes += (await content.find(descriptor.digest)) ? descriptor.size : 2 * descriptor.size
  }
  return bytes
}

interface LayerWork {
  readonly descriptor: Descriptor
  readonly diffId: Digest
  readonly chainId: Digest
  readonly parentChainId: Digest | undefined
  readonly report: (progress: Omit<PullProgress, 'id'>) => void
}

interface Download {
  /** Resolves when its bytes come, or will not come any more. */
  readonly begun: Promise<void>
  readonly done: Promise<void>
}

/** Downloads in parallel, unpacks in order while they arrive. The first failure stops the others; all have ended when it is thrown. */
async function fetchMissing(
  ports: FetchPorts,
  missing: readonly LayerWork[],
  { source, room, signal }: { source: BlobSource; room: Promised; signal: AbortSignal },
): Promise<void> {
  const failure = new AbortController()
  const either = AbortSignal.any([signal, failure.signal])
  const stopOthers = (error: unknown): never => {
    failure.abort(error)
    throw error
  }
  const downloads = missing.map(({ descriptor, report }): Download => {
    const begun = Promise.withResolvers<void>()
    const tell: LayerWork['report'] = (progress) => {
      if (progress.status === 'Downloading') begun.resolve()
      report(progress)
    }
    const done = downloadLayer(ports, { source, descriptor, report: tell, signal: either }).catch(stopOthers)
    done.then(begun.resolve, begun.resolve)
    done.then(
      () => room.used(descriptor.size),
      () => undefined,
    )
    return { begun: begun.promise, done }
  })
  const unpacking = unpackInOrder(ports, missing, { downloads, signal: either }).catch(stopOthers)
  await Promise.allSettled([...downloads.map(({ done }) => done), unpacking])
  if (failure.signal.aborted) throw failure.signal.reason
}

async function unpackInOrder(
  ports: FetchPorts,
  missing: readonly LayerWork[],
  { downloads, signal }: { downloads: readonly Download[]; signal: AbortSignal },
): Promise<void> {
  for (const [index, { descriptor, diffId, parentChainId, report }] of missing.entries()) {
    const { begun, done: downloaded } = downloads[index] as Download
    await begun
    await unpackStoredLayer(ports, { descriptor, diffId, parentChainId, downloaded, report, signal })
    await downloaded
    report({ status: 'Pull complete' })
  }
}
