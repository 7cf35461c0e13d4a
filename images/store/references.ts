import type { Digest } from '#base/digest.ts'
import type { ImageStore } from './image-store.ts'

/**
 * Forgets rows without a reference whose config another row has that is referred to: the same image, reached by an index that
 * nothing points at any more. The last row of a config stays: it is a dangling image, and people remove those.
 */
export function dropUnnamedTwins(store: ImageStore, id: Digest): void {
  const referred = new Set(store.referencesOf(id).map(({ key }) => key.root))
  if (referred.size === 0) return
  for (const { root } of store.withId(id)) {
    if (!referred.has(root.digest)) store.remove({ root: root.digest, id })
  }
}
