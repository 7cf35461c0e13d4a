import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { Digest } from '#base/digest.ts'
import type { EngineEvent } from '#events/event.ts'
import type { Attached, Attachment } from '#network/attachment.ts'
import type { EndpointView } from '#network/endpoint.ts'
import type { PublishedPort } from '#network/ports/host-ports.ts'
import type { SandboxKeeper, SandboxPlan, SandboxRequest } from '#network/sandbox.ts'
import type { ConnectOptions } from '#network/service.ts'
import type { ContainerDefaults, ContainerIdentity, ImageConfig } from '#oci/image-config.ts'
import type { Reference } from '#oci/reference.ts'
import type { ResourcesSpec } from '#oci/runtime-spec.ts'
import type { CgroupStats } from '#runtime/cgroup.ts'
import type { VolumeRequest, VolumeView } from '#volumes/volume.ts'

/** An image as a container needs it. */
export interface ImageForContainer {
  /** The config digest. */
  readonly id: Digest
  /** Digest of the root descriptor (index or manifest). */
  readonly root: Digest
  readonly config: ImageConfig
  /** Name of the topmost committed snapshot; undefined for an image without layers. */
  readonly chainId: string | undefined
}

/** An image to be made of a container. */
export interface ContainerCommit {
  /** What it was made of. */
  readonly parent: { readonly id: Digest; readonly root: Digest }
  /** Key of its snapshot. */
  readonly snapshot: string
  /** For who asks where the image came from. */
  readonly container: { readonly id: string; readonly identity: Partial<ContainerIdentity> }
  readonly config: ContainerDefaults
  /** Goes before `config`. */
  readonly asked: ContainerDefaults | undefined
  /** Dockerfile instructions. */
  readonly changes: readonly string[]
  readonly createdBy: string
  readonly author: string
  readonly comment: string
  readonly reference: Reference | undefined
  /** Called when the files have been read; what it throws undoes everything. */
  readonly check: () => void
  /** What is told besides, in the transaction that lists the image. */
  readonly events: (image: Digest) => readonly Omit<EngineEvent, 'time'>[]
}

export interface ImageSource {
  /** By reference, id, or unambiguous id prefix.   @throws `not-found` with Docker's text `No such image: busybox:latest` */
  getForContainer(name: string, platform?: string): ImageForContainer
  /** Unpacked bytes of all its layers; undefined when the image is no longer there. */
  sizeOf(id: Digest): number | undefined
  /** On disk when it resolves, with the id.   @throws `invalid`, `not-found`, `no-space` */
  commit(commit: ContainerCommit, signal: AbortSignal): Promise<Digest>
}

/** Where the layers of a container's root lie. */
export interface RootfsMounts {
  readonly kind: 'overlay' | 'directory'
  /** A directory of the snapshot itself. */
  readonly path: string
  /** Overlay only: absolute paths, topmost first. */
  readonly lower: readonly string[]
  readonly upper: string | undefined
  readonly work: string | undefined
}

/** What overlayfs notes in its layers (#runtime/overlay.ts). */
export interface LayerMarks {
  /** Does this directory, an open descriptor, hide its namesakes in the layers below? */
  isOpaque(directory: number): boolean
}

export interface SnapshotSource {
  /** Whether `prepare` can be given a limit. */
  readonly canLimit: boolean
  /** Makes an active snapshot on top of a committed one.   @throws `already-exists` */
  prepare(key: string, parent: string | undefined, options: { limitBytes: number | undefined }): Promise<RootfsMounts>
  /** A read-only look at a committed one, until it is removed.   @throws `already-exists` */
  view(key: string, parent: string): Promise<RootfsMounts>
  mounts(key: string): RootfsMounts
  /** To be held while it is mounted: a full one would be mounted read-only. */
  roomToMount(key: string): Promise<AsyncDisposable>
  /** Removing what is not there is success. */
  remove(key: string): Promise<void>
  /** The lengths of the files in the container's own layer. */
  contentBytes(key: string): Promise<number>
}

/** A path at which a container's files differ from its image's. */
export interface FileChange {
  readonly kind: 'modified' | 'added' | 'deleted'
  /** Absolute. */
  readonly path: string
}

/** Reads the files of containers in a child. The container may run meanwhile; who holds it against removal is the caller. */
export interface RootfsReader {
  /** Sorted by path.   @throws `cancelled`, `invalid` for what is too large or too deep */
  changes(containerId: string, signal: AbortSignal): Promise<readonly FileChange[]>
  /** Everything as a tar, but for what is mounted in the container. Ending the iteration early ends the work. */
  export(containerId: string, signal: AbortSignal): AsyncGenerator<Uint8Array>
  /**
   * Copies what directories of layers (the topmost first) make together into an empty directory of the host, with owners, modes and
   * attributes, the directory's own too.   @throws `no-space`, `cancelled`, `invalid`
   */
  copy(layers: readonly string[], target: string, signal: AbortSignal): Promise<void>
}

export interface VolumeSource {
  /**
   * For a container that is being made: makes the volume if it is not there, and holds it until `settle` or `letGo`.
   * @throws `invalid`, `not-found`, `conflict` in Docker's words
   */
  acquire(request: VolumeRequest, containerId: string): Promise<VolumeView>
  /** To be called in the transaction that writes the container's record, before it. */
  settle(containerId: string): void
  /** The container is not made after all. */
  letGo(containerId: string): Promise<void>
  /** @returns where its data is on the host until `unmount`   @throws `not-found`, and what the driver says */
  mount(name: string, containerId: string): Promise<string>
  /** Idempotent. */
  unmount(name: string, containerId: string): Promise<void>
  /**
   * Takes volumes away with their container, unless others have them. To be called in the transaction that deletes its record.
   * @returns what deletes their data
   */
  discard(names: readonly string[], containerId: string): () => Promise<void>
}

/** A directory, open. Closing it ends what keeps it together. */
export interface OpenRoot extends AsyncDisposable {
  readonly fd: number
}

/** Something of the host's at a place in a container. */
export interface RootBind {
  readonly source: string
  /** A path beneath the source, which is what is meant; undefined: the source itself. */
  readonly below: string | undefined
  /** Absolute, in the container. */
  readonly target: string
  readonly readOnly: boolean
}

/** What lies at a path of a container. */
export interface FoundPlace {
  /** As stat(2) has it, type and permissions; a symlink's own, unless a slash follows it. */
  readonly mode: number
  readonly size: number
  /** Nanoseconds since 1970. */
  readonly modifiedAt: bigint
  /** Of what it leads to; 0: nothing is there. */
  readonly resolvedMode: number
  /** Absolute, without symlinks. */
  readonly resolved: string
}

/** A container's root, open; it may run. */
export interface RootFds {
  readonly root: number
  /** The user namespace in whose numbers files have owners; undefined: the host's. */
  readonly users: number | undefined
}

/** Copies from and to the roots of containers, in confined children: paths are resolved inside the root, whatever the container does. */
export interface ContainerFiles {
  /** Mounts the root of a container that does not run where nobody else sees it.   @param binds parents before children */
  assemble(description: {
    readonly mounts: RootfsMounts
    readonly label: string
    readonly binds: readonly RootBind[]
  }): Promise<OpenRoot>
  /** @throws `not-found` */
  look(fds: RootFds, path: string, signal: AbortSignal): Promise<FoundPlace>
  /** A tar, whose entry has this name.   @throws `not-found` */
  copyOut(
    request: { readonly fds: RootFds; readonly path: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<{
    readonly place: FoundPlace
    readonly archive: AsyncIterable<Uint8Array>
    /** Ends the work, if it has not ended, and resolves when nothing of the container is open any more. */
    stop(): Promise<void>
  }>
  /** @param request.path without symlinks   @throws `invalid`, `no-space` */
  copyIn(
    request: {
      readonly fds: RootFds
      readonly path: string
      readonly keepKinds: boolean
      readonly owner: { readonly uid: number; readonly gid: number } | undefined
      readonly archive: Readable
    },
    signal: AbortSignal,
  ): Promise<void>
}

export interface NetworkAttacher {
  /** At create: the networks that a container of this mode will join.   @throws `invalid`, `not-implemented` */
  planAttachments(mode: string, wanted: readonly Attachment[]): Attachment[]
  /** In the transaction that makes the container. */
  keepAttachments(containerId: string, attachments: readonly Attachment[]): void
  /** In the transaction that removes it. */
  forgetContainer(containerId: string): void
  /** @throws `not-found`, `forbidden`, `invalid` in Docker's words */
  connect(network: string, subject: Attached, options: ConnectOptions): Promise<void>
  disconnect(network: string, subject: Attached): Promise<void>
  rename(subject: Attached): void
  /** At each start: addresses, files, host side. Closing it is idempotent. */
  openSandbox(containerId: string, request: SandboxRequest, signal?: AbortSignal): Promise<SandboxPlan>
  /** Between the making and the start of its process: what a plan does not hold. */
  furnishSandbox(containerId: string, request: SandboxRequest, keeper: SandboxKeeper): Promise<void>
  /** At boot, of a container that has lived on. */
  adoptSandbox(containerId: string, request: SandboxRequest, keeper: SandboxKeeper): Promise<void>
  closeSandbox(containerId: string): Promise<void>
  /** All attachments, with addresses where the container runs.   @param isOpen false: it has ended, although its sandbox may not be closed yet */
  endpoints(subject: Attached, state?: { readonly isOpen: boolean }): readonly EndpointView[]
  /** Ports of the host that lead to a running container. */
  publishedPorts(containerId: string): readonly PublishedPort[]
}

export interface TaskExit {
  /** "" is init, others are exec ids. */
  readonly task: string
  /** 128 + signal when killed. */
  readonly code: number
  readonly signal: number
  readonly oomKilled: boolean
  readonly finishedAt: bigint
}

export interface ExitRecord extends Omit<TaskExit, 'task'> {
  readonly pid: number
  readonly startedAt: bigint
}

export interface AttachFlags {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly framed: boolean
}

export interface ShimStatus {
  readonly state: 'empty' | 'created' | 'running' | 'stopped'
  readonly pid: number
  readonly startedAt: bigint | undefined
  readonly paused: boolean
  readonly execs: readonly { readonly id: string; readonly pid: number }[]
}

/** One living shim. Errors of the container side are BerthErrors with the runtime's text. */
export interface ShimHandle extends AsyncDisposable, SandboxKeeper {
  readonly pid: number
  create(task: string, planFd: number): Promise<{ pid: number }>
  start(task: string): Promise<{ startedAt: bigint }>
  /** @throws `not-found` when the task has ended. */
  kill(task: string, signal: number, all?: boolean): Promise<void>
  resize(task: string, rows: number, columns: number): Promise<void>
  closeStdin(task: string): Promise<void>
  /** A duplex stream (allowHalfOpen): output of the task, framed or raw; what is written is its stdin. Ends when all is drained. */
  attach(task: string, flags: AttachFlags): Promise<Socket>
  pause(): Promise<void>
  resume(): Promise<void>
  state(): Promise<ShimStatus>
  /** Called for each exit, also for those of before a reconnect; acknowledged when the listener's promise is fulfilled. */
  onExit(listener: (exit: TaskExit) => Promise<void>): void
  /** Called each time the kernel killed a process of the container for memory. */
  onOom(listener: () => void): void
  /** Called once when the connection ends without `shutdown`: the shim died (or we are stopping). */
  onGone(listener: () => void): void
  /** Releases everything and ends an empty or stopped shim; resolves when its process is gone. */
  shutdown(): Promise<void>
  /** SIGKILL to the shim itself; init dies with it, and `onGone` tells. */
  terminate(): Promise<void>
  /** As `terminate`, but waits for the end instead of telling it. */
  destroy(): Promise<void>
}

export interface ShimLauncher extends AsyncDisposable {
  /** A fresh shim (or a warm one). */
  launch(): Promise<ShimHandle>
  /** Connects to the shim of an earlier daemon; undefined when none is alive there. */
  adopt(directory: string): Promise<ShimHandle | undefined>
  /** exit.json of a shim that has ended, if it wrote one. */
  readExitRecord(directory: string): Promise<ExitRecord | undefined>
}

/** SELinux labels of the host's files. What its filesystem gives no labels is passed over. */
export interface FileLabels {
  /** One file of ours. */
  set(path: string, label: string): Promise<void>
  /** A file or directory (an open descriptor, O_PATH too) and everything below it, in a child. */
  setBelow(descriptor: number, label: string, signal: AbortSignal): Promise<void>
}

/** Compiles config.json, the keeper document and a filter to a plan (#runtime/plan.ts); the caller closes the descriptor. */
export interface PlanCompiler {
  compile(config: object, keeper: object | undefined, filter: Uint8Array | undefined): number
  close(fd: number): void
}

/** Groups of containers; paths as in config.json's cgroupsPath. */
export interface CgroupControl {
  /** @throws `not-found` when there is no such group */
  stats(path: string): CgroupStats
  /** Changes the limits that are named, while processes live in the group.   @throws `invalid`, what the kernel refused */
  update(path: string, resources: ResourcesSpec): Promise<void>
  /** SIGKILL to every process below; success when there is no such group. */
  kill(path: string): Promise<void>
  /** In every hierarchy; success when there is no such group. */
  remove(path: string): Promise<void>
}
