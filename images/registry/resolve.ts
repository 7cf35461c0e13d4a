import { abortError, deadline } from '#base/abort.ts'
import { type Digest, digestOf, isDigest } from '#base/digest.ts'
import { dataLoss, invalid, isKind } from '#base/errors.ts'
import { readAll } from '#base/streams.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { manifestSizeLimit } from '#oci/manifest.ts'
import { isIndexType, isManifestType, manifestAccept } from '#oci/media-types.ts'
import type { Reference } from '#oci/reference.ts'
import type { EndpointSession } from './endpoint-session.ts'
import { readSpecError, toPullError } from './spec-error.ts'
import { isBusy, type RegistryResponse } from './transport.ts'
import { toTransportError } from './transport-error.ts'

/** What a tag or digest points at; `bytes` when they had to be read to know. */
export interface ResolvedManifest {
  readonly descriptor: Descriptor
  readonly bytes: Buffer | undefined
}

const accept = { accept: manifestAccept.join(', ') }

/** Asks for the headers first, which costs registries nothing; reads the manifest where they do not tell enough.
 *  @throws `not-found` and others with Docker's texts */
export async function resolveManifest(
  session: EndpointSession,
  reference: Reference,
  signal: AbortSignal,
): Promise<ResolvedManifest> {
  const target = reference.digest ?? reference.tag ?? 'latest'
  using limit = deadline(session.transport.limits.documentTimeoutMs, `resolving ${target}`, signal)
  const head = await session.send({
    method: 'HEAD',
    path: `manifests/${target}`,
    headers: accept,
    signal: limit.signal,
  })
  await head.discard()
  const descriptor = head.status === 200 ? descriptorOf(head, reference) : undefined
  if (descriptor) return { descriptor, bytes: undefined }
  // Who has been asked often enough is asked once more, for its words.
  const attempts = isBusy(head.status) ? 1 : undefined
  return await readManifestOf(session, { reference, target, attempts }, signal)
}

/** Reads a manifest or index whose digest is known, and checks it.   @throws `data-loss` for other bytes */
export async function readManifest(
  session: EndpointSession,
  reference: Reference,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<Buffer> {
  const pinned = { ...reference, digest: descriptor.digest }
  const { descriptor: found, bytes } = await readManifestOf(
    session,
    { reference: pinned, target: descriptor.digest },
    signal,
  )
  if (found.mediaType !== descriptor.mediaType) {
    throw invalid(
      `manifest ${descriptor.digest} was announced as ${descriptor.mediaType} but is served as ${found.mediaType}`,
    )
  }
  return bytes
}

interface ManifestRead {
  readonly reference: Reference
  /** Tag or digest. */
  readonly target: string
  /** Instead of the session's own number. */
  readonly attempts?: number | undefined
}

async function readManifestOf(
  session: EndpointSession,
  { reference, target, attempts }: ManifestRead,
  outer: AbortSignal,
): Promise<{ descriptor: Descriptor; bytes: Buffer }> {
  using limit = deadline(session.transport.limits.documentTimeoutMs, `reading manifest ${target}`, outer)
  const { signal } = limit
  for (let attempt = 1; ; attempt += 1) {
    const response = await session.send({
      method: 'GET',
      path: `manifests/${target}`,
      headers: accept,
      ...(attempts !== undefined && { attempts }),
      signal,
    })
    if (response.status !== 200) throw toPullError(await readSpecError(response), response, reference)
    const mediaType = mediaTypeOf(response)
    let bytes: Buffer
    try {
      bytes = await readAll(response.body, manifestSizeLimit, `manifest ${target}`)
    } catch (error) {
      if (signal.aborted) throw abortError(signal)
      if (isKind(error, 'too-large')) throw error
      if (attempt >= session.transport.limits.attempts)
        throw toTransportError(error, { method: 'GET', url: response.url })
      await session.transport.pause(attempt, signal)
      continue
    }
    checkMediaType(mediaType, target)
    const digest = digestOf(bytes)
    const expected = reference.digest ?? announcedDigest(response)
    if (expected !== undefined && digest !== expected) {
      throw dataLoss(`manifest verification failed for digest ${expected}: the content has digest ${digest}`, {
        code: 'manifest-digest',
      })
    }
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes }
  }
}

/** Undefined when the headers do not say all of it. */
function descriptorOf(response: RegistryResponse, reference: Reference): Descriptor | undefined {
  const digest = announcedDigest(response)
  const size = Number(response.header('content-length') ?? Number.NaN)
  const mediaType = mediaTypeOf(response)
  if (digest === undefined || !Number.isSafeInteger(size) || size <= 0) return undefined
  if (reference.digest !== undefined && digest !== reference.digest) return undefined
  if (size > manifestSizeLimit || !(isIndexType(mediaType) || isManifestType(mediaType))) return undefined
  return { mediaType, digest, size }
}

function announcedDigest(response: RegistryResponse): Digest | undefined {
  const text = response.header('docker-content-digest') ?? ''
  return isDigest(text) ? text : undefined
}

function mediaTypeOf(response: RegistryResponse): string {
  return (response.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

function checkMediaType(mediaType: string, target: string): void {
  if (isIndexType(mediaType) || isManifestType(mediaType)) return
  if (mediaType.startsWith('application/vnd.docker.distribution.manifest.v1')) {
    throw invalid(
      `manifest ${target} is in Docker's old schema 1, which is no longer supported; ask its author for an OCI image`,
      { code: 'manifest-schema1' },
    )
  }
  throw invalid(
    `manifest ${target} is served as '${mediaType.slice(0, 100)}', which is neither a manifest nor an index`,
  )
}
