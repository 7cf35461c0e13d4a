import { type Digest, isDigest } from '#base/digest.ts'
import { invalid } from '#base/errors.ts'

/** `host/repo:tag@digest`, normalised: docker.io and library/ are spelled out. */
export interface Reference {
  /** `docker.io`, `127.0.0.1:5000` */
  readonly domain: string
  /** `library/busybox` */
  readonly path: string
  readonly tag?: string
  readonly digest?: Digest
}

const pathComponent = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const tagPattern = /^\w[\w.-]{0,127}$/
const domainPattern =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::\d+)?$/

/**
 * Reads what people write: `busybox`, `me/app:v1`, `localhost:5000/x@sha256:…`. No tag is added: see `withDefaultTag`.
 * The words of the errors are Docker's.   @throws `invalid`   @see distribution/reference grammar
 */
export function parseReference(text: string): Reference {
  const wrong = (reason = 'invalid reference format') => invalid(reason, { code: 'invalid-reference' })
  if (text === '') throw wrong()
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw wrong(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`)
  }

  const at = text.indexOf('@')
  const digest = at < 0 ? undefined : text.slice(at + 1)
  if (digest !== undefined && !isDigest(digest)) throw wrong()
  const named = at < 0 ? text : text.slice(0, at)

  const slash = named.lastIndexOf('/')
  const colon = named.indexOf(':', slash + 1)
  const tag = colon < 0 ? undefined : named.slice(colon + 1)
  if (tag !== undefined && !isTag(tag)) throw wrong()
  const name = colon < 0 ? named : named.slice(0, colon)

  const { domain, path } = splitDomain(name)
  if (!domainPattern.test(domain)) throw wrong()
  if (path !== path.toLowerCase()) throw wrong(`invalid reference format: repository name (${path}) must be lowercase`)
  if (!path.split('/').every((component) => pathComponent.test(component))) throw wrong()
  if (`${domain}/${path}`.length > 255) throw wrong('repository name must not be more than 255 characters')
  return { domain, path, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) }
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const isDomain = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase())
  const domain = isDomain ? first : 'docker.io'
  const path = isDomain ? name.slice(slash + 1) : name
  if (domain !== 'docker.io' && domain !== 'index.docker.io') return { domain, path }
  return { domain: 'docker.io', path: path.includes('/') ? path : `library/${path}` }
}

/** Whether a text from outside can be a tag.   @see distribution/reference grammar */
export function isTag(text: string): boolean {
  return tagPattern.test(text)
}

/** The reference with `:latest` when it names neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference
}

/** The whole, normalised text: `docker.io/library/busybox:latest`. */
export function formatReference({ domain, path, tag, digest }: Reference): string {
  return `${domain}/${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/** The repository without tag and digest, as people know it: `busybox`, `127.0.0.1:5000/app`. */
export function familiarName({ domain, path }: Pick<Reference, 'domain' | 'path'>): string {
  if (domain !== 'docker.io') return `${domain}/${path}`
  const short = path.startsWith('library/') ? path.slice('library/'.length) : path
  return short.includes('/') || path.startsWith('library/') ? short : path
}

/** As people know it, for display: `busybox:latest`. */
export function familiarReference(reference: Reference): string {
  const { tag, digest } = reference
  return `${familiarName(reference)}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}
