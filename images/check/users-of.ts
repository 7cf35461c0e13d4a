import { familiarReference, parseReference } from '#oci/reference.ts'
import { contentOf, type StoredImage } from '../store/image-store.ts'
import type { CheckPorts } from './check-ports.ts'

export interface Affected {
  readonly rows: readonly StoredImage[]
  readonly images: readonly string[]
  readonly containers: readonly string[]
  readonly isRunning: boolean
}

/** Who needs a blob or layer.   @param key a digest or a chainId */
export function usersOf({ store, users }: Pick<CheckPorts, 'store' | 'users'>, key: string): Affected {
  const rows = store.list().filter((row) => (contentOf(row) as readonly string[]).includes(key))
  const ids = [...new Set(rows.map(({ id }) => id))]
  const containers = ids.flatMap((id) => users.of(id))
  return {
    rows,
    images: ids.flatMap((id) => {
      const tags = store.referencesOf(id).filter(({ kind }) => kind === 'tag')
      return tags.length === 0 ? [id] : tags.map(({ name }) => familiarReference(parseReference(name)))
    }),
    containers: containers.map(({ id }) => id),
    isRunning: containers.some(({ running }) => running),
  }
}
