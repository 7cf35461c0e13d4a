import { messageOf } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { parseImageConfig } from '#oci/image-config.ts'
import type { Database } from '#state/database.ts'
import { unpackLayerAnew } from '../layers/unpack-anew.ts'
import { type UnpackPorts, unpackStoredLayer } from '../transfer/unpack.ts'
import type { ImageStore, StoredImage } from './image-store.ts'

export interface RepairPorts extends UnpackPorts {
  readonly store: ImageStore
  readonly database: Database
}

/**
 * Unpacks again what the snapshotter could not trust after a power cut: the blobs were synced, so they are whole. What a container stands on gets
 * its files in place: no container runs so soon after a crash of the machine. An image that cannot be brought back is taken off the list: it could not be run, and its names would keep a pull from fetching it anew.
 */
export async function repairImages(ports: RepairPorts, log: Logger): Promise<void> {
  for (const image of ports.store.list()) {
    if (image.layers.every(({ chainId }) => isWhole(ports, chainId))) continue
    try {
      await unpackAgain(ports, image)
      log.info({ image: image.id }, 'unpacked the layers of an image again after a crash of the machine')
    } catch (error) {
      unlistImage(ports, image)
      const fields = { image: image.id, error: messageOf(error) }
      log.warn(fields, 'an image has lost a layer and is no longer listed; pull it again')
    }
  }
}

async function unpackAgain(ports: RepairPorts, { id, config, layers }: StoredImage): Promise<void> {
  const { diffIds } = parseImageConfig(config, `image config ${id}`)
  const { signal } = new AbortController()
  for (const [index, diffId] of diffIds.entries()) {
    const layer = layers[index]
    if (!layer) return
    const parentChainId = layers[index - 1]?.chainId
    const descriptor = layer.standIn ?? layer.descriptor
    if (ports.snapshots.isDoubtful(layer.chainId)) {
      await unpackLayerAnew(ports, { descriptor, diffId, parentChainId }, signal)
    } else await unpackStoredLayer(ports, { descriptor, diffId, parentChainId, report: () => undefined, signal })
  }
}

/** Takes an image and its names off the list. */
export function unlistImage(
  { store, database }: Pick<RepairPorts, 'store' | 'database'>,
  { root, id }: StoredImage,
): void {
  database.transaction(() => {
    for (const { name, key } of store.referencesOf(id)) if (key.root === root.digest) store.removeReference(name)
    store.remove({ root: root.digest, id })
  })
}

function isWhole({ snapshots }: RepairPorts, chainId: string): boolean {
  return snapshots.find(chainId)?.kind === 'committed' && !snapshots.isDoubtful(chainId)
}
