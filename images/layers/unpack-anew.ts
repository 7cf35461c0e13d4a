import type { Digest } from '#base/digest.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import type { ContentStore } from '../content/content-store.ts'
import { chainIdOf } from './chain-id.ts'
import { type LayerUnpackPorts, unpackIntoActive } from './unpack.ts'

export interface UnpackAnewPorts extends LayerUnpackPorts {
  readonly content: ContentStore
}

export interface LayerUnpackAnew {
  /** A blob of the store. */
  readonly descriptor: Descriptor
  readonly diffId: Digest
  readonly parentChainId: Digest | undefined
  /** Where the old files go, for those that use them; else they are deleted. */
  readonly aside?: string
}

/** Gives a layer its files from its blob, whose bytes prove themselves by the diffId; what stands on it stays.
 *  @throws as `unpackLayer` does; the layer is then as before */
export async function unpackLayerAnew(
  ports: UnpackAnewPorts,
  { descriptor, diffId, parentChainId, aside }: LayerUnpackAnew,
  signal: AbortSignal,
): Promise<void> {
  const { content, snapshots } = ports
  const chainId = chainIdOf(parentChainId, diffId)
  await using file = await content.open(descriptor.digest)
  const unpacked = await unpackIntoActive(ports, { source: { fd: file.fd }, diffId, parentChainId }, signal)
  try {
    if (snapshots.find(chainId)) await snapshots.replace(chainId, unpacked.key, aside)
    else await snapshots.commit(unpacked.key, chainId, unpacked.usage)
  } catch (error) {
    await snapshots.discard(unpacked.key)
    throw error
  }
}
