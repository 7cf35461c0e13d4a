import { invalid } from '#base/errors.ts'
import type { Filters } from '#base/filters.ts'
import { parseNanos } from '#base/timestamp.ts'
import { familiarName, familiarReference, parseReference } from '#oci/reference.ts'
import type { Image } from './image.ts'

const known = ['reference', 'dangling', 'label', 'label!', 'before', 'since', 'until']

export interface Listing {
  readonly filters: Filters
  /** Also images without a name that others were made of. */
  readonly all: boolean
}

/** Keeps what is asked for, newest first. @param get finds the images that `before` and `since` name
 *  @throws `invalid`, `not-found` */
export function selectImages(
  images: readonly Image[],
  { filters, all }: Listing,
  get: (name: string) => Image,
): Image[] {
  filters.allowOnly(known)
  const dangling = filters.boolean('dangling')
  const parents = new Set(images.map(({ parent }) => parent))
  const patterns = filters.get('reference').map(toPattern)
  const until = filters.until(Date.now()) ?? Number.POSITIVE_INFINITY
  const before = Math.min(until, ...filters.get('before').map((name) => createdAt(get(name))))
  const since = Math.max(...filters.get('since').map((name) => createdAt(get(name))))
  return images
    .filter((image) => {
      const isDangling = image.tags.length === 0
      const isHidden = dangling === true || (!all && image.digests.length === 0)
      if (isDangling && isHidden && parents.has(image.id)) return false
      if (dangling === true && !isDangling) return false
      if (dangling === false && isDangling && image.digests.length === 0) return false
      if (createdAt(image) >= before || createdAt(image) <= since) return false
      const labels = image.config.config.Labels ?? {}
      return filters.matchesLabels(labels) && filters.lacksLabels(labels)
    })
    .flatMap((image) => onlyMatching(image, patterns))
    .toSorted((a, b) => createdAt(b) - createdAt(a))
}

/** Docker shows only the names that match, and images without one not at all. */
function onlyMatching(image: Image, patterns: readonly RegExp[]): readonly Image[] {
  if (patterns.length === 0) return [image]
  const matches = (name: string) => {
    const reference = parseReference(name)
    const forms = [familiarReference(reference), familiarName(reference)]
    return patterns.some((pattern) => forms.some((form) => pattern.test(form)))
  }
  const tags = image.tags.filter(matches)
  const digests = image.digests.filter(matches)
  return tags.length + digests.length === 0 ? [] : [{ ...image, tags, digests }]
}

/** In ms since 1970; images that do not tell are the oldest. */
export function createdAt({ config }: Image): number {
  const nanos = parseNanos(config.created ?? '')
  return nanos === undefined ? 0 : Number(nanos / 1_000_000n)
}

/** Go's path.Match: `*` and `?` stop at slashes, `[a-z]` and `[^a-z]` are sets, a backslash takes the next sign as it is. */
function toPattern(glob: string): RegExp {
  let source = ''
  for (let at = 0; at < glob.length; at += 1) {
    const sign = glob[at] as string
    if (sign === '*') source += '[^/]*'
    else if (sign === '?') source += '[^/]'
    else if (sign === '[') {
      const set = /^\[(\^?)((?:\\.|[^\]\\])+)\]/.exec(glob.slice(at))
      if (!set) throw badPattern(glob)
      source += `[${set[1]}${(set[2] ?? '').replace(/[[\]^]/g, '\\$&')}]`
      at += set[0].length - 1
    } else {
      if (sign === '\\') at += 1
      const literal = glob[at]
      if (literal === undefined) throw badPattern(glob)
      source += RegExp.escape(literal)
    }
  }
  try {
    return new RegExp(`^${source}$`)
  } catch {
    throw badPattern(glob)
  }
}

function badPattern(glob: string): Error {
  return invalid(`invalid filter 'reference=${glob}': syntax error in pattern`)
}
