import { zeroTime } from '#base/timestamp.ts'
import type {
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
  ManifestSummary,
} from '#contract/types.gen.ts'
import { type ApiVersion, since } from '#contract/versions.ts'
import type { Image, ImageGraph, ImageHistory, ImageWithSharing } from '#images/store/image.ts'
import type { ImageManifest } from '#images/store/manifests.ts'
import type { ContainerDefaults, ContainerIdentity } from '#oci/image-config.ts'
import { familiarName, familiarReference, parseReference } from '#oci/reference.ts'

export interface SummaryOptions {
  readonly version: ApiVersion
  /** Tells SharedSize; else that is -1. */
  readonly withSharedSize: boolean
  /** Counts containers whatever the version. */
  readonly withContainers?: boolean
  /** Undefined: not asked for. */
  readonly manifests?: readonly ImageManifest[] | undefined
}

export function presentImageSummary(
  { image, sharedBytes, users }: ImageWithSharing,
  { version, withSharedSize, withContainers = version >= since.imageContainers, manifests }: SummaryOptions,
): ImageSummary {
  return {
    Id: image.id,
    ParentId: image.parent ?? '',
    ...presentNames(image, version),
    Created: toUnixSeconds(image.config.created),
    Size: image.sizeBytes,
    ...(version < since.noVirtualSize && { VirtualSize: image.sizeBytes }),
    SharedSize: withSharedSize ? sharedBytes : -1,
    Labels: image.config.config.Labels ?? null,
    Containers: withContainers ? users : -1,
    ...(version >= since.manifestDescriptor && { Descriptor: image.root }),
    ...presentManifests(manifests),
  }
}

type Names = Pick<ImageSummary, 'RepoTags' | 'RepoDigests'>

function presentNames({ tags, digests }: Image, version: ApiVersion): Names {
  if (version >= since.emptyImageNames) return { RepoTags: tags.map(familiar), RepoDigests: digests.map(familiar) }
  if (tags.length + digests.length === 0) return { RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] }
  return presentNamesOrNull({ tags, digests })
}

/** As they are in the use of disk space, whatever the version. */
export function presentNamesOrNull({ tags, digests }: Pick<Image, 'tags' | 'digests'>): Names {
  return { RepoTags: orNull(tags.map(familiar)), RepoDigests: orNull(digests.map(familiar)) }
}

function orNull(list: readonly string[]): readonly string[] | null {
  return list.length === 0 ? null : list
}

export interface ImageOptions {
  readonly version: ApiVersion
  readonly manifests?: readonly ImageManifest[] | undefined
  readonly graph: ImageGraph
}

export function presentImage(image: Image, { version, manifests, graph }: ImageOptions): ImageInspect {
  const { config } = image
  const lastComment = config.history.at(-1)?.comment
  return {
    Id: image.id,
    ...(version >= since.manifestDescriptor && { Descriptor: image.root }),
    ...presentManifests(manifests),
    RepoTags: image.tags.map(familiar),
    RepoDigests: image.digests.map(familiar),
    Parent: image.parent ?? '',
    Comment: lastComment ?? '',
    ...(config.created !== undefined && { Created: config.created }),
    ...(version < since.noImageContainer && {
      ...(config.container !== undefined && { Container: config.container }),
      ContainerConfig: presentLegacyConfig(config.containerConfig ?? {}),
    }),
    DockerVersion: config.dockerVersion ?? '',
    Author: config.author ?? '',
    Config: (version < since.noLegacyImageConfig ? presentLegacyConfig : presentConfig)(
      withoutEmptyLabels(config.config),
    ),
    Architecture: config.architecture,
    ...(config.variant !== undefined && { Variant: config.variant }),
    Os: config.os,
    Size: image.sizeBytes,
    ...(version < since.noVirtualSize && { VirtualSize: image.sizeBytes }),
    GraphDriver: { Name: graph.driver, Data: graph.directories ?? null },
    RootFS: { Type: 'layers', ...(config.diffIds.length > 0 && { Layers: config.diffIds }) },
    Metadata: {
      LastTagTime: image.lastTaggedAt === undefined ? zeroTime : new Date(image.lastTaggedAt).toISOString(),
    },
  }
}

/** Left out when empty, as Docker does. */
function presentManifests(manifests: readonly ImageManifest[] = []): { Manifests?: ManifestSummary[] } {
  return manifests.length === 0 ? {} : { Manifests: manifests.map(presentManifest) }
}

function presentManifest(manifest: ImageManifest): ManifestSummary {
  const { descriptor, contentBytes, unpackedBytes, platform, containers, attestedDigest } = manifest
  const image = {
    Platform: { architecture: '', os: '', ...platform },
    Size: { Unpacked: unpackedBytes },
    Containers: containers.length === 0 ? null : containers,
  }
  return {
    ID: descriptor.digest,
    Descriptor: descriptor,
    Available: manifest.isAvailable,
    Size: { Content: contentBytes, Total: contentBytes + unpackedBytes },
    ...(attestedDigest === undefined
      ? { Kind: 'image', ImageData: image }
      : { Kind: 'attestation', AttestationData: { For: attestedDigest } }),
  }
}

export function presentHistory(entry: ImageHistory): ImageHistoryItem {
  return {
    Id: entry.id,
    Created: toUnixSeconds(entry.created),
    CreatedBy: entry.created_by ?? '',
    Tags: entry.tags.length === 0 ? null : entry.tags.map(familiar),
    Size: entry.sizeBytes,
    Comment: entry.comment ?? '',
  }
}

export function presentRemoval({ untagged, deleted }: { untagged?: string; deleted?: string }): ImageDeleteItem {
  return {
    ...(untagged !== undefined && { Untagged: untagged }),
    ...(deleted !== undefined && { Deleted: deleted }),
  }
}

/** Lists of images show `{}`, an inspected one null. */
function withoutEmptyLabels({ Labels, ...others }: ContainerDefaults): ContainerDefaults {
  return Labels && Object.keys(Labels).length > 0 ? { ...others, Labels } : others
}

function presentConfig(defaults: ContainerDefaults) {
  const { Healthcheck, ExposedPorts, StopSignal, Shell, ArgsEscaped } = defaults
  return {
    User: defaults.User ?? '',
    Env: defaults.Env ?? null,
    Cmd: defaults.Cmd ?? null,
    Entrypoint: defaults.Entrypoint ?? null,
    Volumes: defaults.Volumes ?? null,
    WorkingDir: defaults.WorkingDir ?? '',
    OnBuild: defaults.OnBuild ?? null,
    Labels: defaults.Labels ?? null,
    ...(ExposedPorts && { ExposedPorts }),
    ...(Healthcheck && { Healthcheck }),
    ...(StopSignal && { StopSignal }),
    ...(Shell && { Shell }),
    ...(ArgsEscaped && { ArgsEscaped }),
  }
}

/** Before 1.50 an image's config had all fields of a container's, empty. */
function presentLegacyConfig(config: ContainerDefaults & Partial<ContainerIdentity>) {
  return {
    Hostname: config.Hostname ?? '',
    Domainname: config.Domainname ?? '',
    AttachStdin: config.AttachStdin ?? false,
    AttachStdout: config.AttachStdout ?? false,
    AttachStderr: config.AttachStderr ?? false,
    Tty: config.Tty ?? false,
    OpenStdin: config.OpenStdin ?? false,
    StdinOnce: config.StdinOnce ?? false,
    Image: config.Image ?? '',
    ...presentConfig(config),
  }
}

function familiar(reference: string): string {
  const parsed = parseReference(reference)
  // `name:tag@digest` is stored as two references; what has a digest is shown by it alone.
  return parsed.digest === undefined ? familiarReference(parsed) : `${familiarName(parsed)}@${parsed.digest}`
}

/** Zero where the config has no time, or none that can be read. */
function toUnixSeconds(text: string | undefined): number {
  const ms = Date.parse(text ?? '')
  return Number.isNaN(ms) ? 0 : Math.trunc(ms / 1000)
}
