import type { Digest } from '#base/digest.ts'
import { contentOf, type ImageStore } from './image-store.ts'

/**
 * Forgets rows without a reference whose config another row has that is referred to: the same image, reached by an index that
 * nothing points at any more. The last row of a config stays: it is a dangling image, and people remove those.
 * @returns keys of blobs and snapshots that may be free now
 */
export function dropUnnamedTwins(store: ImageStore, id: Digest): readonly string[] {
  const referred = new Set(store.referencesOf(id).map(({ key }) => key.root))
  if (referred.size === 0) return []
  const dropped = store.withId(id).filter(({ root }) => !referred.has(root.digest))
  for (const { root } of dropped) store.remove({ root: root.digest, id })
  return dropped.flatMap(contentOf)
}
