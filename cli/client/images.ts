import { formatReference, type Reference } from '#oci/reference.ts'
import type { Client } from './client.ts'
import { readJsonLines } from './client.ts'
import type { ProgressMessage } from './wire.ts'

export interface PullRequest {
  /** `docker.io/library/busybox` */
  readonly repository: string
  /** Tag or digest; undefined asks for all tags. */
  readonly tag?: string
  readonly platform?: string
  /** Encoded for X-Registry-Auth. */
  readonly auth?: string
}

/** POST /images/create. Errors found before the first byte are thrown, later ones are in the messages. */
export async function pull(
  client: Client,
  request: PullRequest,
): Promise<AsyncGenerator<ProgressMessage, void, undefined>> {
  const { repository, tag, platform, auth } = request
  const { body } = await client.stream('POST', '/images/create', {
    query: { fromImage: repository, tag, platform: platform === '' ? undefined : platform },
    ...(auth !== undefined && { headers: { 'X-Registry-Auth': auth } }),
  })
  return readJsonLines<ProgressMessage>(body)
}

/** `os[/arch[/variant]]` as the engine wants it for archives and removals; undefined for ''. */
export function toPlatformJson(text: string): string | undefined {
  if (text === '') return undefined
  const [os, architecture, variant] = text.split('/')
  return JSON.stringify({ os, ...(architecture && { architecture }), ...(variant && { variant }) })
}

export interface PushOptions {
  /** `os[/arch[/variant]]`; '' leaves it out. */
  readonly platform: string
  /** Encoded for X-Registry-Auth. */
  readonly auth: string | undefined
}

/** POST /images/{name}/push; a reference without a tag means all of them. Nearly all errors are in the messages. */
export async function push(
  client: Client,
  { domain, path, tag, digest }: Reference,
  { platform, auth }: PushOptions,
): Promise<AsyncGenerator<ProgressMessage, void, undefined>> {
  const name = formatReference({ domain, path, ...(digest !== undefined && { digest }) })
  const { body } = await client.stream('POST', imagePath(name, '/push'), {
    query: { tag, platform: toPlatformJson(platform) },
    // Engines of old read the body for it when it is not there.
    headers: { 'X-Registry-Auth': auth ?? noAuth },
  })
  return readJsonLines<ProgressMessage>(body)
}

/** `{}` */
const noAuth = 'e30='

/** The path of one image; slashes of names stay slashes, as the engine's router wants them. */
export function imagePath(name: string, verb = ''): string {
  return `/images/${name.split('/').map(encodeURIComponent).join('/').replaceAll('%3A', ':').replaceAll('%40', '@')}${verb}`
}
