import type { Readable } from 'node:stream'
import type { Filters } from '#base/filters.ts'
import type { CopyInRequest, PathStat } from '#containers/archive/archive.ts'
import type { CommitRequest } from '#containers/commit.ts'
import type { Container } from '#containers/container.ts'
import type { AttachFlags, FileChange } from '#containers/ports.ts'
import type { ContainerPrune } from '#containers/prune.ts'
import type {
  AttachedStream,
  ContainerView,
  CreateRequest,
  ExecRequest,
  ExecView,
  ListRequest,
  LogEntry,
  LogRequest,
  UpdateRequest,
  WaitCondition,
} from '#containers/requests.ts'
import type { ContainerUsage } from '#containers/stats/stats.ts'
import type { EngineEvent } from '#events/event.ts'
import type { ImportFrom } from '#images/archive/import-source.ts'
import type { LoadRequest } from '#images/archive/load.ts'
import type { SaveRequest } from '#images/archive/save.ts'
import type { CheckEvent } from '#images/check/check-event.ts'
import type { RemoteImage } from '#images/registry/inspect.ts'
import type { SearchResult } from '#images/registry/search.ts'
import type { Image, ImageGraph, ImageHistory, ImageWithSharing } from '#images/store/image.ts'
import type { ImageManifest } from '#images/store/manifests.ts'
import type { ImagePrune } from '#images/store/prune.ts'
import type { ImageSearch } from '#images/store/service.ts'
import type {
  LoadProgress,
  PullProgress,
  PullRequest,
  PushProgress,
  PushRequest,
  RegistryAuth,
} from '#images/transfer/progress.ts'
import type { Attachment } from '#network/attachment.ts'
import type { NetworkRequest } from '#network/create-network.ts'
import type { NetworkView } from '#network/network.ts'
import type { AttachedContainers } from '#network/registry.ts'
import type { Platform } from '#oci/platform.ts'
import type { Reference } from '#oci/reference.ts'
import type { VolumePrune } from '#volumes/prune.ts'
import type { VolumeRequest, VolumeUsage, VolumeView } from '#volumes/volume.ts'
import type { Config } from './config.ts'
import type { SystemInfo, SystemVersion } from './info.ts'

export type { PathStat } from '#containers/archive/archive.ts'
export type { CommitRequest } from '#containers/commit.ts'
export type { FileChange } from '#containers/ports.ts'
export type {
  AttachedStream,
  ContainerView,
  CreateRequest,
  ExecRequest,
  ExecView,
  ListRequest,
  LogEntry,
  LogRequest,
  UpdateRequest,
  WaitCondition,
} from '#containers/requests.ts'
export type { ContainerUsage } from '#containers/stats/stats.ts'

/**
 * Everything the edges (api, cri, metrics) may ask of the engine. Names are ids, unambiguous id prefixes or container names.
 * Errors are BerthErrors whose messages are Docker's texts.
 */
export interface Engine extends AsyncDisposable {
  readonly containers: Containers
  readonly images: Images
  readonly networks: Networks
  readonly volumes: Volumes
  readonly events: Events
  readonly system: System
}

export interface Containers {
  /** @returns the id and Docker's warnings */
  create(request: CreateRequest): Promise<{ id: string; warnings: string[] }>
  start(name: string): Promise<void>
  /** @param timeoutSeconds -1: for ever; undefined: the container's own, else 10 */
  stop(name: string, options: { timeoutSeconds?: number; signal?: string }): Promise<void>
  restart(name: string, options: { timeoutSeconds?: number; signal?: string }): Promise<void>
  kill(name: string, signal: string | undefined): Promise<void>
  pause(name: string): Promise<void>
  unpause(name: string): Promise<void>
  rename(name: string, newName: string): Promise<void>
  /** Changes limits, of what runs at once, and the restart policy.   @throws `invalid`, `conflict` */
  update(name: string, request: UpdateRequest): Promise<void>
  remove(name: string, options: { force: boolean; volumes: boolean; link: boolean }): Promise<void>
  /** Filters: label, until. */
  prune(filters: Filters, signal: AbortSignal): Promise<ContainerPrune>
  /** Attaches it to a network: at once when it runs, else at its next start. */
  connect(name: string, network: string, wanted: Attachment): Promise<void>
  disconnect(name: string, network: string): Promise<void>
  resize(name: string, rows: number, columns: number): Promise<void>
  /** Registered when the promise `ready` is fulfilled; `exit` follows. */
  wait(
    name: string,
    condition: WaitCondition,
    signal: AbortSignal,
  ): Promise<{ exit: Promise<{ code: number; error: string | undefined }> }>
  get(name: string): Container
  inspect(name: string, options: { size: boolean }): Promise<ContainerView>
  list(request: ListRequest): Promise<ContainerView[]>
  top(name: string, psArguments: string): Promise<{ titles: string[]; processes: string[][] }>
  /** What lies at a path.   @throws `not-found` in Docker's words */
  statPath(name: string, request: { path: string; signal: AbortSignal }): Promise<PathStat>
  /** A path as a tar; what cannot be begun fails here.   @throws `not-found` in Docker's words */
  copyOut(
    name: string,
    request: { path: string; signal: AbortSignal },
  ): Promise<{ stat: PathStat; archive: AsyncIterable<Uint8Array> }>
  /** Makes the files of a tar, which may be compressed, in a directory.   @throws `not-found`, `invalid` in Docker's words */
  copyIn(name: string, copy: { request: CopyInRequest; archive: Readable; signal: AbortSignal }): Promise<void>
  /** At once.   @throws `not-found` */
  usage(name: string): ContainerUsage
  /** One a second, the first at once, until the container is removed or the signal comes.   @throws `not-found` */
  followUsage(name: string, signal: AbortSignal): AsyncIterable<ContainerUsage>
  /** Before or after start; a container that is created only gets its streams when it starts.   @throws `conflict` */
  attach(
    name: string,
    flags: AttachFlags,
    options: { detachKeys: string; logs: boolean; stream: boolean },
  ): Promise<AttachedStream>
  /** Makes an image of it.   @returns the image's id */
  commit(name: string, request: CommitRequest, signal: AbortSignal): Promise<string>
  /** Sorted by path.   @throws `not-found`, `conflict` */
  changes(name: string, signal: AbortSignal): Promise<readonly FileChange[]>
  /** A tar; what fails before its first bytes fails here. */
  export(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /** What `logs --details` shows with each entry. */
  logDetails(name: string): Readonly<Record<string, string>>
  /** In batches, as they are read. */
  logs(name: string, request: LogRequest, signal: AbortSignal): Promise<AsyncIterable<readonly LogEntry[]>>
  execCreate(name: string, request: ExecRequest): Promise<{ id: string }>
  /** Starts the exec; with `detach` there is no stream. */
  execStart(
    id: string,
    options: { detach: boolean; tty: boolean; consoleSize: readonly [number, number] | undefined },
  ): Promise<AttachedStream | undefined>
  execInspect(id: string): ExecView
  execResize(id: string, rows: number, columns: number): Promise<void>
}

export interface Images {
  /** Filters: reference, dangling, label, before, since, until. */
  list(filters: Filters, options?: { all?: boolean }): Image[]
  /** As `list`, with what only a look at all images can tell. */
  listWithSharing(filters: Filters, options?: { all?: boolean }): ImageWithSharing[]
  /** The manifests below the root of each image, in its order. */
  manifestsOf(images: readonly Image[]): Promise<readonly (readonly ImageManifest[])[]>
  /** By reference, id or unambiguous id prefix.   @param platform must match, when given   @throws `not-found` with Docker's text */
  get(name: string, platform?: Platform): Image
  /** Where its layers are. */
  graphOf(image: Image): ImageGraph
  /** @param platform must match, when given */
  history(name: string, platform?: Platform): ImageHistory[]
  tag(name: string, target: Reference): Promise<void>
  /** Fails before the first progress where the registry's own answer is the error. */
  pull(request: PullRequest, signal: AbortSignal): Promise<AsyncIterable<PullProgress>>
  /** A tar of images; read it to its end or return it.   @throws `not-found`, `invalid` with Docker's texts */
  save(request: SaveRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /** Nearly all that can be wrong ends the progress.   @throws `not-found` when the image is not of the platform asked for */
  push(request: PushRequest, signal: AbortSignal): AsyncIterable<PushProgress>
  /** Takes the images of an archive. Resolves when it has arrived; what it is refused for ends the progress. */
  load(request: LoadRequest, signal: AbortSignal): Promise<AsyncIterable<LoadProgress>>
  /** Makes an image of one layer from a tar of its files; its id ends the progress.   @throws `invalid`, `not-found`, `unavailable` */
  import(request: ImportFrom, signal: AbortSignal): Promise<AsyncIterable<PullProgress>>
  /** Shows credentials to a registry (''-named: docker.io).   @returns the token to keep instead of the password, or '' */
  login(server: string, auth: RegistryAuth, signal: AbortSignal): Promise<string>
  /** What a registry has under a reference.   @throws `not-found` and others in the registry's words */
  inspectRemote(reference: Reference, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<RemoteImage>
  /** Filters: stars, is-official, is-automated. */
  search(request: ImageSearch, signal: AbortSignal): Promise<readonly SearchResult[]>
  remove(
    name: string,
    options: { force: boolean; noPrune: boolean },
  ): Promise<{ untagged?: string; deleted?: string }[]>
  /** Checks what is stored, and mends it when asked to; the summary comes last. */
  check(options: { repair: boolean }, signal: AbortSignal): AsyncIterable<CheckEvent>
  /** Filters: dangling, label, until. */
  prune(filters: Filters, signal: AbortSignal): Promise<ImagePrune>
}

export interface Networks {
  create(request: NetworkRequest): Promise<{ id: string }>
  /** @throws `forbidden` when it is predefined or in use */
  remove(name: string, containers: AttachedContainers): Promise<void>
  /** Filters: label, until.   @returns names */
  prune(filters: Filters, containers: AttachedContainers): Promise<string[]>
  list(filters: Filters): NetworkView[]
  inspect(name: string): NetworkView
}

export interface Volumes {
  /** Taken as it is when it is there already. An empty name: it gets an id.   @throws `invalid`, `not-found`, `conflict` in Docker's words */
  create(request: VolumeRequest): Promise<VolumeView>
  /** @throws `not-found` */
  get(name: string): Promise<VolumeView>
  /** Filters: dangling, driver, label, name. */
  list(filters: Filters): Promise<{ readonly volumes: readonly VolumeView[]; readonly warnings: readonly string[] }>
  /** @throws `conflict` while a container has it, `not-found` unless it is forced */
  remove(name: string, options: { readonly force: boolean }): Promise<void>
  /** Filters: all, label.   @param policy what `all` means when it is not said */
  prune(filters: Filters, policy: { readonly all: boolean }, signal: AbortSignal): Promise<VolumePrune>
}

export interface Events {
  /** Active when this returns; past events from `since` first; ends at `until` (nanoseconds). */
  subscribe(
    request: { since?: bigint; until?: bigint; filters: Filters },
    signal: AbortSignal,
  ): AsyncIterable<EngineEvent>
}

export interface System {
  info(): Promise<SystemInfo>
  version(): SystemVersion
  diskUsage(kinds: ReadonlySet<UsageKind>): Promise<DiskUsage>
  /**
   * Takes over what can change while containers run, or nothing at all.
   * @returns keys of daemon.json that differ and count only after a restart   @throws `invalid`
   */
  reload(config: Config): readonly string[]
}

export const usageKinds = ['image', 'container', 'volume', 'build-cache'] as const

export type UsageKind = (typeof usageKinds)[number]

/** Of the kinds that were asked for. There is no build cache yet: asked for, it is empty. */
export interface DiskUsage {
  /** Of all layers. */
  readonly layersBytes: number
  readonly images: readonly ImageWithSharing[] | undefined
  /** With sizes. */
  readonly containers: readonly ContainerView[] | undefined
  /** Local ones that are directories of ours. */
  readonly volumes: readonly VolumeUsage[] | undefined
  readonly hasBuildCache: boolean
}
