import type { FileHandle } from 'node:fs/promises'
import type { Digest } from '#base/digest.ts'
import { isKind, notFound } from '#base/errors.ts'
import { shortId } from '#base/ids.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { PushRepository } from '../registry/push-repository.ts'
import type { PullProgress } from './progress.ts'
import { retryStatus, throttled } from './progress-feed.ts'
import type { Slots } from './slots.ts'

export interface PushLayersPorts {
  readonly content: ContentStore
  /** Uploads at a time, over all pushes. */
  readonly uploadSlots: Slots
}

export interface LayerPush {
  /** As the manifest has it: a layer may be there twice, and in several forms. */
  readonly digest: Digest
  /** People know layers by it. */
  readonly diffId: Digest | undefined
  /** Blobs that hold this layer, the preferred one first. */
  readonly blobs: readonly Descriptor[]
  /** Gives or makes one when none of those can be had. */
  readonly make?: (signal: AbortSignal) => Promise<Descriptor>
}

export interface PushLayersRun {
  readonly repository: PushRepository
  /** Repositories of the registry that may have a blob. */
  readonly sourcesOf: (layer: Digest) => readonly string[]
  readonly report: (progress: PullProgress) => void
  readonly signal: AbortSignal
}

/** Brings layers to the repository, several at a time, the topmost first.
 *  @returns the blobs that the repository has now. The first failure stops the others; all have ended when it is thrown. */
export async function pushLayers(
  ports: PushLayersPorts,
  run: PushLayersRun,
  layers: readonly LayerPush[],
): Promise<readonly Descriptor[]> {
  const failure = new AbortController()
  const signal = AbortSignal.any([run.signal, failure.signal])
  const pushes = new Map<string, Promise<Descriptor>>()
  for (const layer of layers.toReversed()) run.report({ id: idOf(layer), status: 'Preparing' })
  for (const layer of layers.toReversed()) {
    if (pushes.has(layer.digest)) continue
    const report = (progress: Omit<PullProgress, 'id'>) => run.report({ id: idOf(layer), ...progress })
    const push = pushLayer(ports, { ...run, signal }, { layer, report }).catch((error: unknown) => {
      failure.abort(error)
      throw error
    })
    pushes.set(layer.digest, push)
  }
  await Promise.allSettled(pushes.values())
  if (failure.signal.aborted) throw failure.signal.reason
  return await Promise.all(layers.map(({ digest }) => pushes.get(digest) as Promise<Descriptor>))
}

function idOf({ diffId, digest }: LayerPush): string {
  return shortId(diffId ?? digest)
}

type Report = (progress: Omit<PullProgress, 'id'>) => void

async function pushLayer(
  { content, uploadSlots }: PushLayersPorts,
  run: PushLayersRun,
  { layer, report }: { readonly layer: LayerPush; readonly report: Report },
): Promise<Descriptor> {
  using _slot = await uploadSlots.acquire(() => report({ status: 'Waiting' }), run.signal)
  for (const blob of layer.blobs) if (await deliver(content, run, { blob, report })) return blob
  const made = await layer.make?.(run.signal)
  if (made && (await deliver(content, run, { blob: made, report }))) return made
  throw notFound(`layer ${layer.diffId ?? layer.digest} is only here unpacked; pull the image again, then push it`, {
    code: 'no-layer-blob',
  })
}

/** False when the blob is neither at the registry nor here. */
async function deliver(
  content: ContentStore,
  { repository, sourcesOf, signal }: PushLayersRun,
  { blob, report }: { readonly blob: Descriptor; readonly report: Report },
): Promise<boolean> {
  if (await repository.hasBlob(blob, signal)) {
    report({ status: 'Layer already exists' })
    return true
  }
  const mount = await repository.mountBlob(blob, sourcesOf(blob.digest), signal)
  if ('from' in mount) {
    report({ status: `Mounted from ${mount.from}` })
    return true
  }
  await using file = await openIfThere(content, blob.digest)
  if (!file) {
    await repository.cancelUpload(mount.begun)
    return false
  }
  await repository.uploadBlob({
    blob,
    file,
    begun: mount.begun,
    onProgress: throttled((current) => report({ status: 'Pushing', detail: { current, total: blob.size } })),
    onRetry: (inMs) => report({ status: retryStatus(inMs) }),
    signal,
  })
  report({ status: 'Pushed' })
  return true
}

async function openIfThere(content: ContentStore, digest: Digest): Promise<FileHandle | undefined> {
  try {
    return await content.open(digest)
  } catch (error) {
    if (isKind(error, 'not-found')) return undefined
    throw error
  }
}
