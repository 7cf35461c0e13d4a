import { type Digest, isDigest } from '#base/digest.ts'
import { type BerthError, isKind, notFound } from '#base/errors.ts'
import { isFullId } from '#base/ids.ts'
import { familiarReference, formatReference, parseReference, type Reference, withDefaultTag } from '#oci/reference.ts'
import type { ImageStore } from './image-store.ts'

export interface FoundImage {
  readonly id: Digest
  /** The root that the name stands for; undefined for an id, which may have several. */
  readonly root: Digest | undefined
}

/** By reference, then by id or prefix of one (the root's digest serves as well), as Docker looks.
 *  @throws `not-found` with Docker's text, `invalid` for what can be no name */
export function findImage(store: ImageStore, name: string): FoundImage {
  const digest = isFullId(name) ? `sha256:${name}` : name
  if (isDigest(digest)) {
    const [id] = store.idsWithPrefix(digest)
    if (id === undefined) throw noSuchImage(digest)
    return { id, root: undefined }
  }
  const reference = parseOrUndefined(name)
  const found = reference && store.findReference(nameOf(reference))
  if (found) return { id: found.key.id, root: found.key.root }
  const hex = name.replace(/^sha256:/, '')
  const [id, another] = /^[0-9a-f]{1,64}$/.test(hex) ? store.idsWithPrefix(`sha256:${hex}`) : []
  // Two of them are none, so that `run` goes on to pull what may be meant; but it says why.
  if (another !== undefined) throw noSuchImage(`${displayOf(name)} (the prefix ${hex} is ambiguous)`)
  if (id !== undefined) return { id, root: undefined }
  if (!reference) parseReference(name)
  throw noSuchImage(displayOf(name))
}

/** The key of a reference in the store: with a digest, the tag counts for nothing. */
export function nameOf(reference: Reference): string {
  const { domain, path, digest } = reference
  return formatReference(digest === undefined ? withDefaultTag(reference) : { domain, path, digest })
}

export function noSuchImage(name: string): BerthError {
  return notFound(`No such image: ${name}`, { code: 'no-such-image' })
}

function displayOf(name: string): string {
  return familiarReference(withDefaultTag(parseReference(name)))
}

function parseOrUndefined(name: string): Reference | undefined {
  try {
    return parseReference(name)
  } catch (error) {
    if (isKind(error, 'invalid')) return undefined
    throw error
  }
}
