import { isKind, notFound } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { imageConfigSizeLimit } from '#oci/image-config.ts'
import { JsonReader } from '#oci/json.ts'
import { type Manifest, parseManifest } from '#oci/manifest.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { type Platform, readPlatform } from '#oci/platform.ts'
import { withDefaultTag } from '#oci/reference.ts'
import { openRepository, type Repository, type RepositoryRequest } from './client.ts'

/** What a registry has under a reference. */
export interface RemoteImage {
  readonly descriptor: Descriptor
  /** Undefined where Docker tells none either: of a plain OCI image. */
  readonly platforms: readonly Platform[] | undefined
}

/** Asks the registry; nothing is kept.   @throws `not-found` and others, with the registry's own words */
export async function inspectRemote(request: RepositoryRequest, signal: AbortSignal): Promise<RemoteImage> {
  await using repository = await openRepository(request)
  try {
    const resolved = await repository.resolve(withDefaultTag(request.reference), signal)
    const bytes = resolved.bytes ?? (await repository.readManifest(resolved.descriptor, signal))
    const { digest, mediaType } = resolved.descriptor
    const found = parseManifest(bytes.toString('utf8'), { mediaType, what: `manifest ${digest}` })
    const descriptor = { mediaType, digest, size: bytes.length }
    if (found.kind === 'manifest') return { descriptor, platforms: await platformOf(repository, found, signal) }
    return { descriptor, platforms: found.manifests.flatMap(({ platform }) => platform ?? []) }
  } catch (error) {
    if (isKind(error, 'not-found') && error.cause instanceof Error)
      throw notFound(error.cause.message, { cause: error })
    throw error
  }
}

/** Only Docker's own images have their config read, as Docker does it. */
async function platformOf(
  repository: Repository,
  { mediaType, config }: Manifest,
  signal: AbortSignal,
): Promise<readonly Platform[] | undefined> {
  if (mediaType !== mediaTypes.dockerManifest || config.size > imageConfigSizeLimit) return undefined
  const bytes = await repository.readBlob(config, signal)
  const platform = readPlatform(JsonReader.parse(bytes.toString('utf8'), `image config ${config.digest}`))
  return platform.os === '' && platform.architecture === '' ? undefined : [platform]
}
