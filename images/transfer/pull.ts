import { parseImageConfig } from '#oci/image-config.ts'
import { parseManifest } from '#oci/manifest.ts'
import { hostPlatform, type Platform, parsePlatform } from '#oci/platform.ts'
import { familiarReference, formatReference, type Reference, withDefaultTag } from '#oci/reference.ts'
import { openRepository, type Repository } from '../registry/client.ts'
import type { RegistryConfig } from '../registry/registry-config.ts'
import type { ResolvedManifest } from '../registry/resolve.ts'
import type { TransportLimits } from '../registry/transport.ts'
import { platformMismatch } from '../store/platform-match.ts'
import { type AddedImage, type AddImagePorts, addImage } from './add-image.ts'
import type { BlobSource } from './blob-source.ts'
import type { PullProgress, PullRequest } from './progress.ts'
import type { ProgressFeed } from './progress-feed.ts'
import { type RunningTransfer, startTransfer } from './running-transfer.ts'

export interface PullPorts extends AddImagePorts {
  readonly registries: RegistryConfig
  readonly transportLimits?: Partial<TransportLimits>
  readonly onMirrorFailure?: (mirror: string, error: unknown) => void
}

/**
 * Pulls one reference, or all tags of its repository. Resolves when the registry has named the first manifest: what it refuses is
 * thrown here, before any progress.
 */
export async function pull(
  ports: PullPorts,
  request: PullRequest,
  signal: AbortSignal,
): Promise<RunningTransfer<PullProgress>> {
  await using opened = new AsyncDisposableStack()
  const platform = request.platform === undefined ? hostPlatform : parsePlatform(request.platform)
  const repository = opened.use(
    await openRepository({
      reference: request.reference,
      config: ports.registries,
      auth: request.auth,
      ...(ports.transportLimits && { limits: ports.transportLimits }),
      onMirrorFailure: ports.onMirrorFailure,
    }),
  )
  const targets = await targetsOf(repository, request, signal)
  const first = targets[0] && (await resolve(ports, repository, targets[0], signal))

  const resources = opened.move()
  const platformIsAsked = request.platform !== undefined
  return startTransfer<PullProgress>(signal, async (feed, ended) => {
    const run = { repository, platform, platformIsAsked, feed, signal: ended }
    try {
      await pullTargets(ports, run, { name: nameOf(request), targets, first })
    } finally {
      // A connection that does not close well is no failure of the pull, and nobody may wait for ever because of it.
      await resources.disposeAsync().catch(() => undefined)
    }
  })
}

interface PullRun {
  readonly repository: Repository
  readonly platform: Platform
  readonly platformIsAsked: boolean
  readonly feed: ProgressFeed
  readonly signal: AbortSignal
}

async function targetsOf(repository: Repository, request: PullRequest, signal: AbortSignal): Promise<Reference[]> {
  const { domain, path } = request.reference
  if (!request.allTags) return [withDefaultTag(request.reference)]
  return (await repository.tags(signal)).map((tag) => ({ domain, path, tag }))
}

function nameOf({ reference, allTags }: PullRequest): Reference {
  return allTags ? { domain: reference.domain, path: reference.path } : withDefaultTag(reference)
}

/** Also reads the root, unless it is here: a registry's garbage is then found before any progress. */
async function resolve(
  { content }: PullPorts,
  repository: Repository,
  reference: Reference,
  signal: AbortSignal,
): Promise<ResolvedManifest> {
  const { descriptor, bytes } = await repository.resolve(reference, signal)
  if (await content.find(descriptor.digest)) return { descriptor, bytes: undefined }
  const read = bytes ?? (await repository.readManifest(descriptor, signal))
  parseManifest(read.toString('utf8'), { mediaType: descriptor.mediaType, what: `manifest ${descriptor.digest}` })
  return { descriptor, bytes: read }
}

async function pullTargets(
  ports: PullPorts,
  run: PullRun,
  { name, targets, first }: { name: Reference; targets: readonly Reference[]; first: ResolvedManifest | undefined },
): Promise<void> {
  let hasNew = false
  const warnings: string[] = []
  for (const [index, reference] of targets.entries()) {
    const resolved = index === 0 && first ? first : await resolve(ports, run.repository, reference, run.signal)
    const { image, isNew } = await pullTarget(ports, run, reference, resolved)
    const config = parseImageConfig(image.config, `image config ${image.id}`)
    const mismatch = platformMismatch(familiarReference(reference), config, run.platform)
    if (run.platformIsAsked && mismatch !== undefined) warnings.push(mismatch)
    if (isNew) hasNew = true
  }
  const outcome = hasNew ? 'Downloaded newer image for' : 'Image is up to date for'
  run.feed.push({ status: `Status: ${outcome} ${familiarReference(name)}` })
  for (const warning of warnings) run.feed.push({ status: `WARNING: ${warning}` })
}

async function pullTarget(
  ports: PullPorts,
  { repository, platform, feed, signal }: PullRun,
  reference: Reference,
  { descriptor, bytes }: ResolvedManifest,
): Promise<AddedImage> {
  const { domain, path, tag = 'latest', digest } = reference
  const id = digest ? formatReference({ domain, path, digest }) : tag
  feed.push({ id, status: `Pulling from ${path}` })
  const added = await addImage(ports, {
    source: withKnownRoot(repository, descriptor.digest, bytes),
    root: descriptor,
    platform,
    references: [reference],
    isFromRepository: true,
    report: (progress) => feed.push(progress),
    signal,
  })
  feed.push({ status: `Digest: ${descriptor.digest}` })
  return added
}

function withKnownRoot(repository: Repository, root: string, bytes: Buffer | undefined): BlobSource {
  return {
    readManifest: async (descriptor, signal) =>
      descriptor.digest === root && bytes ? bytes : repository.readManifest(descriptor, signal),
    fetchBlob: (request) => repository.fetchBlob(request),
    distrust: (descriptor) => repository.distrust(descriptor),
  }
}
