import { type Digest, isDigest } from '#base/digest.ts'
import { isKind } from '#base/errors.ts'
import { isFullId } from '#base/ids.ts'
import { familiarReference, parseReference, type Reference } from '#oci/reference.ts'
import type { ImageStore, StoredImage } from '../store/image-store.ts'
import { findImage, nameOf, noSuchImage } from '../store/lookup.ts'

/** An image of an archive with the tags that go along. */
export interface ArchivedImage {
  readonly image: StoredImage
  readonly tags: readonly Reference[]
}

/**
 * What `docker save` takes for the names: a reference with its tag, a repository with all of its tags, an id without any; each
 * image once, in the order of the names.   @throws `not-found`, `invalid` with Docker's texts
 */
export function selectImages(store: ImageStore, names: readonly string[]): readonly ArchivedImage[] {
  const selected = new Map<Digest, { image: StoredImage; tags: Map<string, Reference> }>()
  for (const { image, tag } of names.flatMap((name) => find(store, name))) {
    const entry = selected.get(image.id) ?? { image, tags: new Map() }
    selected.set(image.id, entry)
    if (tag) entry.tags.set(familiarReference(tag), tag)
  }
  return [...selected.values()].map(({ image, tags }) => ({ image, tags: [...tags.values()] }))
}

interface Found {
  readonly image: StoredImage
  readonly tag?: Reference
}

function find(store: ImageStore, name: string): readonly Found[] {
  if (isDigest(name) || isFullId(name)) return [byId(store, name)]
  const reference = parseReference(name)
  const isNameOnly = reference.tag === undefined && reference.digest === undefined
  if (!isNameOnly && reference.path !== 'library/sha256') {
    const found = store.findReference(nameOf(reference))
    if (!found) throw noSuchImage(name)
    const image = rowOf(store, found.key.id, found.key.root)
    return [{ image, ...(reference.digest === undefined && { tag: reference }) }]
  }
  const tagged = isNameOnly ? tagsOf(store, reference) : []
  return tagged.length > 0 ? tagged : [byId(store, name)]
}

function tagsOf(store: ImageStore, { domain, path }: Reference): Found[] {
  return store.references().flatMap(({ name, key }): Found[] => {
    const reference = parseReference(name)
    if (reference.domain !== domain || reference.path !== path) return []
    const image = rowOf(store, key.id, key.root)
    return [{ image, ...(reference.digest === undefined && { tag: reference }) }]
  })
}

function byId(store: ImageStore, name: string): Found {
  try {
    const { id, root } = findImage(store, name)
    return { image: rowOf(store, id, root) }
  } catch (error) {
    // A name is not looked for with `:latest` here, so it is not told so.
    if (isKind(error, 'not-found') && !/ambiguous/.test(error.message)) throw noSuchImage(name)
    throw error
  }
}

function rowOf(store: ImageStore, id: Digest, root: Digest | undefined): StoredImage {
  const rows = store.withId(id)
  const row = rows.find((one) => one.root.digest === root) ?? rows[0]
  if (!row) throw noSuchImage(id)
  return row
}
