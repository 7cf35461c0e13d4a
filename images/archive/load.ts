import type { Readable } from 'node:stream'
import type { Digest } from '#base/digest.ts'
import { invalid } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { imageConfigSizeLimit, parseImageConfig } from '#oci/image-config.ts'
import { formatPlatform, hostPlatform, type Platform, platformScore } from '#oci/platform.ts'
import type { Reference } from '#oci/reference.ts'
import type { Lease } from '../content/leases.ts'
import { letGo } from '../store/garbage.ts'
import { labelsOf } from '../store/read-image.ts'
import { type AddImagePorts, addImage } from '../transfer/add-image.ts'
import type { BlobSource } from '../transfer/blob-source.ts'
import type { LoadProgress } from '../transfer/progress.ts'
import type { ProgressFeed } from '../transfer/progress-feed.ts'
import { type RunningTransfer, startTransfer } from '../transfer/running-transfer.ts'
import { type DockerEntry, type OciEntry, readDockerEntries, readOciEntries } from './archive-index.ts'
import { archiveSource } from './archive-source.ts'
import { readDockerImage } from './docker-image.ts'
import { endLines, layerLines } from './load-lines.ts'
import { findManifests, type OciManifest } from './oci-images.ts'
import { linkParents, type ParentLink } from './parent-links.ts'
import { type SplitArchive, splitArchive } from './split.ts'
import type { TreeReader } from './tree-reader.ts'

export interface LoadRequest {
  /** The archive, plain or compressed by gzip, zstd, xz or bzip2. */
  readonly archive: Readable
  /** Only images of this one. */
  readonly platform?: Platform
  /** Nothing is told of layers. */
  readonly quiet: boolean
}

/** Takes every image of an archive: OCI layouts, docker-archives, and what is both. Resolves when the archive has arrived: what it is refused
 *  for ends the progress; images told of until then are loaded. */
export async function loadImages(
  ports: AddImagePorts,
  request: LoadRequest,
  signal: AbortSignal,
): Promise<RunningTransfer<LoadProgress>> {
  const { promise: arrived, resolve } = Promise.withResolvers<void>()
  const running = startTransfer<LoadProgress>(signal, async (feed, ended) => {
    const archive = await splitArchive(ports, request.archive, ended).finally(resolve)
    await loadAll({ ports, request, feed, signal: ended }, archive)
  })
  await arrived
  return running
}

interface LoadRun {
  readonly ports: AddImagePorts
  readonly request: LoadRequest
  readonly feed: ProgressFeed<LoadProgress>
  readonly signal: AbortSignal
}

async function loadAll(run: LoadRun, archive: SplitArchive): Promise<void> {
  await using _ = archive
  const { files } = archive
  const [oci, docker] = [await readOciEntries(files), await readDockerEntries(files)]
  if (!oci && !docker) {
    throw invalid(
      'the archive holds no images: neither manifest.json nor an OCI layout (archives of Docker before 1.10 are not supported)',
    )
  }
  const roots = (oci ?? []).map(({ root }) => root)
  const manifests = await findManifests(archiveSource(run.ports, files), roots, run.signal)
  // manifest.json says best what is meant, where there is one; the layout then gives the manifests, with their digests.
  const loaded = docker
    ? await loadDocker(run, files, docker, manifests)
    : await loadOci(run, files, { entries: oci ?? [], manifests })
  if (loaded === 0) throw invalid(nothingFor(run.request.platform))
}

function nothingFor(platform: Platform | undefined): string {
  return platform ? `no image of the archive is for ${formatPlatform(platform)}` : 'the archive holds no images'
}

async function loadDocker(
  run: LoadRun,
  files: TreeReader,
  entries: readonly DockerEntry[],
  manifests: readonly OciManifest[],
): Promise<number> {
  const byConfig = new Map(manifests.toReversed().map((one) => [one.manifest.config.digest, one]))
  const loaded: ParentLink[] = []
  for (const entry of entries) {
    run.signal.throwIfAborted()
    const lease = run.ports.leases.open()
    try {
      const image = await findDockerImage(run, { files, entry, byConfig, lease })
      const id = await load(run, { ...image, references: entry.tags })
      if (id !== undefined) loaded.push({ id, parent: entry.parent })
    } finally {
      await letGo(run.ports, lease)
    }
  }
  linkParents(run.ports, loaded)
  return loaded.length
}

async function findDockerImage(
  { ports, signal }: LoadRun,
  {
    files,
    entry,
    byConfig,
    lease,
  }: { files: TreeReader; entry: DockerEntry; byConfig: ReadonlyMap<Digest, OciManifest>; lease: Lease },
): Promise<Omit<Loadable, 'references'>> {
  const text = (await files.read(entry.config, imageConfigSizeLimit)).toString('utf8')
  const { os, architecture, variant } = parseImageConfig(text, JSON.stringify(entry.config))
  const platform = { os, architecture, ...(variant !== undefined && { variant }) }
  const config = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(entry.config)?.[1]
  const known = config && byConfig.get(`sha256:${config}` as Digest)
  if (known) return { ...known, platform, source: archiveSource(ports, files) }
  return { ...(await readDockerImage(ports, { files, entry, lease, signal })), platform }
}

async function loadOci(
  run: LoadRun,
  files: TreeReader,
  { entries, manifests }: { entries: readonly OciEntry[]; manifests: readonly OciManifest[] },
): Promise<number> {
  const wanted = run.request.platform ?? hostPlatform
  const score = ({ platform }: OciManifest) => (platform?.os ? platformScore(platform, wanted) : 1)
  const source = archiveSource(run.ports, files)
  const byRoot = Map.groupBy(manifests, ({ root }) => root.digest)
  let loaded = 0
  for (const [digest, same] of Map.groupBy(entries, ({ root }) => root.digest)) {
    const [best] = (byRoot.get(digest) ?? []).toSorted((a, b) => score(b) - score(a))
    if (!best) continue
    const references = same.flatMap(({ reference }) => (reference ? [reference] : []))
    if ((await load(run, { ...best, source, references })) !== undefined) loaded += 1
  }
  return loaded
}

interface Loadable {
  readonly root: Descriptor
  /** The one below the root that is meant. */
  readonly manifest: OciManifest['manifest']
  /** Of the manifest below the root that is meant; undefined where the root does not tell. */
  readonly platform: Platform | undefined
  readonly source: BlobSource
  readonly references: readonly Reference[]
}

/** @returns the image's id; undefined when it is for another platform than was asked for */
async function load(
  run: LoadRun,
  { root, manifest, platform, source, references }: Loadable,
): Promise<Digest | undefined> {
  const { ports, request, feed, signal } = run
  if (request.platform && platform?.os && platformScore(platform, request.platform) === 0) return undefined
  const toLine = request.quiet ? undefined : await layerLines(source, manifest, signal)
  const added = await addImage(ports, {
    source,
    root: { mediaType: root.mediaType, digest: root.digest, size: root.size },
    platform: platform?.os ? platform : hostPlatform,
    references,
    isFromRepository: false,
    events: (image) => [
      {
        type: 'image',
        action: 'load',
        actor: { id: image.id, attributes: { ...labelsOf(image), name: image.id } },
      },
    ],
    report: (progress) => {
      const line = toLine?.(progress)
      if (line) feed.push(line)
    },
    signal,
  })
  for (const line of endLines(added, references)) feed.push({ stream: `${line}\n` })
  return added.image.id
}
