import type { Readable } from 'node:stream'
import type { Digest } from '#base/digest.ts'
import { invalid, isKind } from '#base/errors.ts'
import type { ImageConfigDocument } from '#oci/image-config.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { hostPlatform, type Platform } from '#oci/platform.ts'
import { familiarReference, type Reference } from '#oci/reference.ts'
import { applyChanges } from '../config/changes.ts'
import { toDockerConfig } from '../config/docker-config.ts'
import { inflateInto } from '../layers/inflate.ts'
import { letGo } from '../store/garbage.ts'
import type { AddImagePorts } from '../transfer/add-image.ts'
import { createImage } from '../transfer/create-image.ts'
import { tapped } from './tap.ts'

export interface ImportRequest {
  /** The tar of a root filesystem, plain or compressed. */
  readonly archive: Readable
  /** Bytes that are to come, as far as they are known. */
  readonly size?: number | undefined
  /** For the history. */
  readonly message: string
  /** Dockerfile instructions that change the config. */
  readonly changes: readonly string[]
  /** With its tag; undefined leaves the image without a name. */
  readonly reference?: Reference | undefined
  /** This machine's by default. */
  readonly platform?: Platform | undefined
}

/** Makes an image of one layer. On disk when this resolves, with its id; after a failure nothing of it is left.
 *  @throws `invalid` for a bad change, or for what is no archive */
export async function importImage(ports: AddImagePorts, request: ImportRequest, signal: AbortSignal): Promise<Digest> {
  const config = toConfig(request)
  const lease = ports.leases.open()
  try {
    const layer = await storeLayer(ports, request, (digest) => lease.hold(digest), signal)
    const { image } = await createImage(ports, {
      config,
      layers: [{ descriptor: { mediaType: mediaTypes.ociLayer, ...layer }, diffId: layer.digest }],
      ...(request.reference && { reference: request.reference }),
      events: ({ id }) => [
        ...(request.reference ? [toEvent('tag', id, familiarReference(request.reference))] : []),
        toEvent('import', id, id),
      ],
      signal,
    })
    return image.id
  } catch (error) {
    if (isKind(error, 'invalid')) throw invalid(`the archive cannot be imported: ${error.message}`, { cause: error })
    throw error
  } finally {
    await letGo(ports, lease)
  }
}

function toEvent(action: string, id: Digest, name: string) {
  return { type: 'image', action, actor: { id, attributes: { name } } } as const
}

function toConfig({ message, changes, platform = hostPlatform }: ImportRequest): ImageConfigDocument {
  if (platform.os !== 'linux') throw invalid('operating system is not supported')
  const { os, architecture, variant } = platform
  const created = new Date().toISOString()
  return {
    architecture,
    os,
    ...(variant !== undefined && { variant }),
    created,
    comment: message,
    config: toDockerConfig(applyChanges({}, changes)),
    history: [{ created, comment: message }],
  }
}

/** Layers of our own are kept plain: whoever pushes them compresses them. */
async function storeLayer(
  ports: AddImagePorts,
  { archive, size = 0 }: ImportRequest,
  hold: (digest: Digest) => void,
  signal: AbortSignal,
): Promise<{ digest: Digest; size: number }> {
  using _ = await ports.budget.admit('the archive', size)
  await using ingest = await ports.content.openIngest()
  const layer = await tapped(archive, 'the archive', (stream) => inflateInto(ports, ingest, { stream }, signal))
  hold(layer.digest)
  await ingest.commit(layer.digest, layer.size)
  return layer
}
