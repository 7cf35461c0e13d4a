import { type Digest, digestOf } from '#base/digest.ts'

/** The identity of a layer on its parents: of the lowest it is the diffId, of every other one the digest of "parent diffId".
 *  @see image-spec v1.1 config.md#layer-chainid */
export function chainIdOf(parent: Digest | undefined, diffId: Digest): Digest {
  return parent === undefined ? diffId : digestOf(`${parent} ${diffId}`)
}

/** The chainIds of a whole image, the lowest layer first, as `rootfs.diff_ids` lists them. */
export function chainIdsOf(diffIds: readonly Digest[]): readonly Digest[] {
  const chain: Digest[] = []
  for (const diffId of diffIds) chain.push(chainIdOf(chain.at(-1), diffId))
  return chain
}
