import { isDigest } from '#base/digest.ts'
import { invalid } from '#base/errors.ts'
import { parseReference, type Reference } from '#oci/reference.ts'

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
