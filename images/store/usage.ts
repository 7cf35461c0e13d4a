import type { Digest } from '#base/digest.ts'
import type { StoredImage } from './image-store.ts'

/** Which part of each image's size its layers share with other images, by image id, in bytes.
 *  @param images any number of rows; those of one config count as one image */
export function sharedSizes(images: readonly StoredImage[]): ReadonlyMap<Digest, number> {
  const byId = new Map(images.map((image) => [image.id, image]))
  const users = new Map<Digest, number>()
  for (const { layers } of byId.values()) {
    for (const { chainId } of layers) users.set(chainId, (users.get(chainId) ?? 0) + 1)
  }
  const sharedBy = ({ layers }: StoredImage) =>
    layers.reduce((sum, { chainId, sizeBytes }) => sum + ((users.get(chainId) ?? 0) > 1 ? sizeBytes : 0), 0)
  return new Map([...byId].map(([id, image]) => [id, sharedBy(image)]))
}
