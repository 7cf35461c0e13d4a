import { isDeepStrictEqual } from 'node:util'
import type { Digest } from '#base/digest.ts'
import { invalid } from '#base/errors.ts'
import { type HistoryEntry, parseImageConfig } from '#oci/image-config.ts'
import type { Database } from '#state/database.ts'
import type { ImageStore, StoredImage } from '../store/image-store.ts'

export interface ParentLink {
  readonly id: Digest
  /** As the archive says. */
  readonly parent: string | undefined
}

/**
 * Notes of which image of an archive another one of it was made. Parents that did not come along are left out, as by Docker.
 * @throws `invalid` in Docker's words, for one that cannot be the parent; nothing is noted then
 */
export function linkParents(
  { store, database }: { readonly store: ImageStore; readonly database: Pick<Database, 'transaction'> },
  links: readonly ParentLink[],
): void {
  const ids = new Set<string>(links.map(({ id }) => id))
  database.transaction(() => {
    for (const { id, parent } of links) {
      if (parent === undefined || parent === id || !ids.has(parent)) continue
      const [child] = store.withId(id)
      const [above] = store.withId(parent as Digest)
      // Removed again meanwhile.
      if (!child || !above) continue
      const [steps, more] = [historyOf(above), historyOf(child)]
      // Docker believes any archive here, also one whose images are each above the other.
      if (more.length === 0 && steps.length === 0) continue
      if (!isBelow(more, steps)) throw invalid(`image ${parent} is not a valid parent for ${id}`)
      store.setParent(id, above.id)
    }
  })
}

/** The same steps and one more: so no image is above itself. */
function isBelow(more: readonly HistoryEntry[], steps: readonly HistoryEntry[]): boolean {
  return more.length === steps.length + 1 && isDeepStrictEqual(more.slice(0, -1), steps)
}

function historyOf({ id, config }: StoredImage): readonly HistoryEntry[] {
  return parseImageConfig(config, `image config ${id}`).history
}
