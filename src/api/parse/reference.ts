import { isDigest } from '#base/digest.ts'
import { invalid } from '#base/errors.ts'
import { parseReference, type Reference, withDefaultTag } from '#oci/reference.ts'

/** @throws `invalid` in Docker's words */
export function parseTag(text: string): string {
  if (!/^\w[\w.-]{0,127}$/.test(text)) throw invalid('invalid tag format')
  return text
}

/** `fromImage` and `tag` of a pull: the tag may be a digest, and replaces what the name says.   @throws `invalid` */
export function parsePulled(name: string, tag: string | undefined): Reference {
  const reference = parseReference(name)
  if (tag === undefined) return reference
  const { domain, path } = reference
  return isDigest(tag) ? { domain, path, digest: tag } : { domain, path, tag: parseTag(tag) }
}

/** `name` and `tag` of a push: the tag replaces what the name says.   @throws `invalid` */
export function parsePushed(name: string, tag: string | undefined): Reference {
  const reference = parseReference(name)
  if (tag === undefined) return reference
  const { domain, path } = reference
  return { domain, path, tag: parseTag(tag) }
}

/** `repo` and `tag` of a tag or an import: the tag replaces what the name says.   @throws `invalid` in Docker's words */
export function parseTarget(repository: string, tag: string | undefined): Reference {
  const reference = parseReference(repository)
  if (reference.digest !== undefined) throw invalid('cannot import digest reference')
  return withDefaultTag(tag === undefined ? reference : { ...reference, tag: parseTag(tag) })
}
