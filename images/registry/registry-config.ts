import { invalid } from '#base/errors.ts'
import { parseReference, type Reference } from '#oci/reference.ts'
import { networksOf } from './insecure-hosts.ts'
import { noProxies, type Proxies, withoutUser } from './proxies.ts'

/** What is said about the repositories below a prefix: `ghcr.io`, `docker.io/me`. */
export interface RegistrySetting {
  /** Base URLs asked first, in this order; a path in them goes before the repository's. */
  readonly mirrors?: readonly string[]
  /** May lack TLS, or a certificate that we know; for a whole registry only. */
  readonly insecure?: boolean
}

export interface RegistrySettings {
  /** docker.io's mirrors, as dockerd's `registry-mirrors` has them: without a path. */
  readonly mirrors?: readonly string[]
  /** Hosts (`registry.lan:5000`) and networks (`10.0.0.0/8`) that may lack TLS or a certificate we know. */
  readonly insecure?: readonly string[]
  /** By prefix. */
  readonly registries?: Readonly<Record<string, RegistrySetting>>
  readonly proxies?: Proxies
}

/** The copies of what stands below a prefix. */
export interface MirroredPrefix {
  readonly domain: string
  /** `me`: `docker.io/me/app` is below it; empty: the whole registry. */
  readonly path: string
  readonly mirrors: readonly Mirror[]
}

export interface Mirror {
  /** `https://mirror.lan` */
  readonly origin: string
  /** Goes before the repository's path: `cache/ghcr/`, or empty. */
  readonly prefix: string
}

export interface RegistryConfig {
  /** The longest prefixes first. */
  readonly mirrored: readonly MirroredPrefix[]
  readonly insecure: readonly string[]
  readonly proxies: Proxies
}

/** @throws `invalid` naming the first entry that cannot be used */
export function parseRegistryConfig(settings: RegistrySettings): RegistryConfig {
  const { mirrors = [], insecure = [], registries = {}, proxies = noProxies } = settings
  for (const host of insecure) checkInsecure(host)
  const hub = mirrors.length === 0 ? [] : [{ domain: 'docker.io', path: '', mirrors: mirrors.map(parseHubMirror) }]
  const parsed = Object.entries(registries).map(([key, setting]) => parseSetting(key, setting))
  const mirrored = [...hub, ...parsed.filter((one) => one.mirrors.length > 0)]
  const twice = mirrored.find((one, index) => mirrored.findIndex((other) => isSame(one, other)) < index)
  if (twice) {
    throw invalid(`the mirrors of ${prefixOf(twice)} are given twice: write them in "registry-mirrors" or "registries"`)
  }
  return {
    mirrored: mirrored.toSorted((a, b) => b.path.length - a.path.length),
    insecure: [...insecure, ...parsed.filter((one) => one.insecure).map(({ domain }) => domain)],
    proxies,
  }
}

/** The mirrors of a repository, of the longest prefix that it is below. */
export function mirrorsOf({ domain, path }: Pick<Reference, 'domain' | 'path'>, config: RegistryConfig) {
  const found = config.mirrored.find(
    (one) => one.domain === domain && (one.path === '' || `${path}/`.startsWith(`${one.path}/`)),
  )
  return found?.mirrors ?? []
}

/** docker.io's own, as people know them. */
export function hubMirrors({ mirrored }: RegistryConfig): readonly string[] {
  const hub = mirrored.find(({ domain, path }) => domain === 'docker.io' && path === '')
  return (hub?.mirrors ?? []).map(({ origin, prefix }) => `${origin}/${prefix}`)
}

function parseSetting(key: string, { mirrors = [], insecure = false }: RegistrySetting) {
  const prefix = parsePrefix(key)
  if (insecure && prefix.path !== '') {
    throw invalid(`registries: ${key} cannot be insecure: a whole registry can, so write its host alone`)
  }
  return { ...prefix, insecure, mirrors: mirrors.map(parseMirror) }
}

function parsePrefix(key: string): { domain: string; path: string } {
  const wrong = `registries: ${JSON.stringify(key)} is not valid: write a registry's host, such as registry.lan:5000, or the beginning of a repository, such as ghcr.io/org`
  try {
    const { domain, path, tag, digest } = parseReference(`${key}/x`)
    const [host] = key.split('/')
    const isNamed = host === domain || host === 'index.docker.io'
    if (!isNamed || tag !== undefined || digest !== undefined) throw invalid(wrong)
    return { domain, path: path === 'library/x' && !key.includes('/') ? '' : path.replace(/\/?x$/, '') }
  } catch (cause) {
    throw invalid(wrong, { cause })
  }
}

function isSame(one: MirroredPrefix, other: MirroredPrefix): boolean {
  return one.domain === other.domain && one.path === other.path
}

function prefixOf({ domain, path }: MirroredPrefix): string {
  return path === '' ? domain : `${domain}/${path}`
}

function checkInsecure(host: string): void {
  if (/^[a-z]+:\/\//i.test(host) || host === '') {
    throw invalid(`insecure registry ${host} is not valid: write a host, host:port, or network such as 10.0.0.0/8`)
  }
  networksOf([host])
}

function parseHubMirror(text: string): Mirror {
  const mirror = parseMirror(text)
  if (mirror.prefix === '') return mirror
  throw invalid(
    `invalid mirror: path, query, or fragment at end of the URI "${text}"; "registries" takes mirrors with a path`,
  )
}

function parseMirror(text: string): Mirror {
  const url = URL.parse(text)
  if (!url) throw invalid(`invalid mirror: "${withoutUser(text)}" is not a URL such as https://mirror.example`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(`invalid mirror: unsupported scheme "${url.protocol.slice(0, -1)}" in "${withoutUser(text)}"`)
  }
  if (url.username !== '' || url.password !== '') {
    url.password = 'xxxxx'
    throw invalid(`invalid mirror: username/password not allowed in URI "${url.href}"`)
  }
  if (url.search !== '' || url.hash !== '') {
    throw invalid(`invalid mirror: path, query, or fragment at end of the URI "${text}"`)
  }
  const path = url.pathname.replace(/^\/+|\/+$/g, '')
  return { origin: url.origin, prefix: path === '' ? '' : `${path}/` }
}
