import type { Readable } from 'node:stream'
import { type Clock, systemClock } from '#base/clock.ts'
import type { Filters } from '#base/filters.ts'
import { KeyedLock } from '#base/keyed-lock.ts'
import type { Logger } from '#base/log.ts'
import { SingleRun } from '#base/single-run.ts'
import type { EventBus } from '#events/bus.ts'
import type { Attachment } from '#network/attachment.ts'
import { type CopyInRequest, copyIn, copyOut, type PathStat, statPath } from './archive/archive.ts'
import { CopyTable } from './archive/copy-table.ts'
import { type AttachOptions, attach } from './attach.ts'
import { AttachTable } from './attach-table.ts'
import { openBackground } from './background.ts'
import { CdiRegistry } from './cdi/registry.ts'
import { changes } from './changes.ts'
import { type CommitRequest, commitContainer } from './commit.ts'
import { connect, disconnect } from './connect.ts'
import type { Container, LogConfig } from './container.ts'
import { ContainerPaths } from './container-paths.ts'
import type { ContainerStore } from './container-store.ts'
import type { ContainerContext } from './context.ts'
import { create } from './create.ts'
import { CurrentDefaults } from './create-defaults.ts'
import { type ExecStartOptions, execCreate, execResize, execStart, resize } from './exec.ts'
import { ExecTable, toExecView } from './exec-table.ts'
import { type ExitResult, ExitWatch } from './exit-watch.ts'
import { exportFiles } from './export.ts'
import { actOnUnhealthy } from './health/action.ts'
import { HealthMonitors } from './health/monitors.ts'
import { probeWhileItRuns } from './health/probing.ts'
import { inspect } from './inspect.ts'
import { isAlive } from './lifecycle.ts'
import { list } from './list.ts'
import { detailsOf } from './logs/attributes.ts'
import { LogForwarders } from './logs/forwarders.ts'
import type { DatagramSockets } from './logs/remote/driver.ts'
import { logs } from './logs.ts'
import { pause, unpause } from './pause.ts'
import type {
  AttachFlags,
  CgroupControl,
  ContainerFiles,
  FileChange,
  ImageSource,
  LayerMarks,
  NetworkAttacher,
  PlanCompiler,
  RootfsReader,
  ShimLauncher,
  SnapshotSource,
  VolumeSource,
} from './ports.ts'
import { type ContainerPrune, prune } from './prune.ts'
import { reconcile } from './reconcile.ts'
import { type RemoveOptions, remove } from './remove.ts'
import { rename } from './rename.ts'
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
} from './requests.ts'
import { attemptRestart, restart } from './restart.ts'
import { RestartTimers } from './restart-timers.ts'
import { Runtimes } from './runtimes.ts'
import type { DnsDefaults } from './sandbox-request.ts'
import type { Selinux } from './selinux/selinux.ts'
import type { AppArmor } from './spec/apparmor.ts'
import type { CgroupDriver } from './spec/cgroups.ts'
import type { IdMaps } from './spec/id-maps.ts'
import { noProcessDefaults, type ProcessDefaults } from './spec/process-defaults.ts'
import type { SeccompFilters } from './spec/seccomp-filters.ts'
import { start } from './start.ts'
import { StatsSampler } from './stats/sampler.ts'
import { type ContainerUsage, followUsage, usage } from './stats/stats.ts'
import { kill, type StopOptions, stop } from './stop.ts'
import { TaskTable } from './task.ts'
import { top } from './top.ts'
import { update } from './update.ts'
import { wait } from './wait.ts'

export interface ContainerPorts {
  readonly store: ContainerStore
  readonly events: EventBus
  readonly images: ImageSource
  readonly snapshots: SnapshotSource
  readonly layerMarks: LayerMarks
  readonly rootfs: RootfsReader
  readonly files: ContainerFiles
  readonly network: NetworkAttacher
  readonly volumes: VolumeSource
  readonly shims: ShimLauncher
  readonly datagrams: DatagramSockets
  readonly defaultLog?: LogConfig
  readonly processDefaults?: ProcessDefaults
  readonly defaults?: CurrentDefaults
  readonly dnsDefaults?: DnsDefaults
  readonly cgroupParent?: string
  /** What containers that ask for no size may write; without it, or 0, as much as there is. */
  readonly defaultSizeBytes?: number
  /** Directories of CDI files; none without. */
  readonly cdiSpecDirs?: readonly string[]
  readonly cgroups: CgroupControl
  readonly plans: PlanCompiler
  readonly seccomp: SeccompFilters
  readonly appArmor: AppArmor
  readonly selinux: Selinux
  /** Process 1 of containers that ask for one: a program of the host that stands on its own. */
  readonly initProgram: string
  /** berth-probe */
  readonly probeProgram: string
  /** berth-unpack */
  readonly compressProgram: string
  readonly idMaps?: IdMaps | undefined
  /** Without it there is only the built-in one. */
  readonly runtimes?: Runtimes
  readonly cgroupDriver: CgroupDriver
  readonly dataRoot: string
  readonly execRoot: string
  readonly log: Logger
  readonly clock?: Clock
}

/** Containers and everything that can be asked of them: one method a verb, each in a file of its own. */
export class ContainerService implements AsyncDisposable {
  readonly #context: ContainerContext
  readonly #background: ReturnType<typeof openBackground>
  readonly #pruning = new SingleRun('a prune operation is already running')

  private constructor(context: ContainerContext, background: ReturnType<typeof openBackground>) {
    this.#context = context
    this.#background = background
  }

  /** Resolves when records and living shims agree. Disposing leaves the containers running. */
  static async open({
    dataRoot,
    execRoot,
    clock = systemClock,
    datagrams,
    ...ports
  }: ContainerPorts): Promise<ContainerService> {
    const background = openBackground(ports.log)
    const paths = new ContainerPaths(dataRoot, execRoot)
    const context: ContainerContext = {
      ...ports,
      idMaps: ports.idMaps,
      runtimes: ports.runtimes ?? new Runtimes(),
      defaultLog: ports.defaultLog ?? { driver: 'json-file', options: {} },
      defaultSizeBytes: ports.defaultSizeBytes ?? 0,
      processDefaults: ports.processDefaults ?? noProcessDefaults,
      defaults: ports.defaults ?? new CurrentDefaults(),
      dnsDefaults: ports.dnsDefaults ?? { servers: [], options: [], search: [] },
      cgroupParent: ports.cgroupParent ?? '',
      cdi: new CdiRegistry(ports.cdiSpecDirs ?? [], ports.log),
      clock,
      background,
      paths,
      forwarders: new LogForwarders({ clock, background, paths, log: ports.log, sockets: datagrams }),
      locks: new KeyedLock(),
      tasks: new TaskTable(),
      execs: new ExecTable(),
      exits: new ExitWatch(),
      attaches: new AttachTable(),
      restarts: new RestartTimers(),
      copies: new CopyTable(),
      samples: new StatsSampler({ ...ports, clock }),
      restartNow: (id, signal) => attemptRestart(context, id, signal),
      health: new HealthMonitors((container, since, stopped) => {
        const signal = AbortSignal.any([stopped, background.signal])
        background.run(`checking the health of container ${container.id}`, () =>
          probeWhileItRuns(context, container, { since, signal }),
        )
      }),
      whenUnhealthy: (container) => actOnUnhealthy(context, container),
    }
    await reconcile(context)
    const running = () => context.store.all().filter(isAlive)
    background.run('sampling of containers', () => context.samples.run(running, background.signal))
    return new ContainerService(context, background)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#background.stop()
    await Promise.all(this.#context.tasks.all().map(({ shim }) => shim[Symbol.asyncDispose]()))
  }

  /** Every record, newest first. */
  all(): Container[] {
    return this.#context.store.all()
  }

  create(request: CreateRequest): Promise<{ id: string; warnings: string[] }> {
    return create(this.#context, request)
  }

  start(name: string): Promise<void> {
    return start(this.#context, name)
  }

  stop(name: string, options: StopOptions): Promise<void> {
    return stop(this.#context, name, options)
  }

  restart(name: string, options: StopOptions): Promise<void> {
    return restart(this.#context, name, options)
  }

  kill(name: string, signal: string | undefined): Promise<void> {
    return kill(this.#context, name, signal)
  }

  pause(name: string): Promise<void> {
    return pause(this.#context, name)
  }

  unpause(name: string): Promise<void> {
    return unpause(this.#context, name)
  }

  rename(name: string, newName: string): Promise<void> {
    return rename(this.#context, name, newName)
  }

  update(name: string, request: UpdateRequest): Promise<void> {
    return update(this.#context, name, request)
  }

  remove(name: string, options: RemoveOptions): Promise<void> {
    return remove(this.#context, name, options)
  }

  /** Removes what does not run.   @throws `invalid` for a bad filter, `conflict` while another one runs */
  prune(filters: Filters, signal: AbortSignal): Promise<ContainerPrune> {
    return this.#pruning.run(() => prune(this.#context, filters, signal))
  }

  /** Attaches it to a network: at once when it runs, else at its next start. */
  connect(name: string, network: string, wanted: Attachment): Promise<void> {
    return connect(this.#context, name, { network, wanted })
  }

  disconnect(name: string, network: string): Promise<void> {
    return disconnect(this.#context, name, network)
  }

  resize(name: string, rows: number, columns: number): Promise<void> {
    return resize(this.#context, name, [rows, columns])
  }

  async wait(name: string, condition: WaitCondition, signal: AbortSignal): Promise<{ exit: Promise<ExitResult> }> {
    return wait(this.#context, name, { condition, signal })
  }

  get(name: string): Container {
    return this.#context.store.get(name)
  }

  inspect(name: string, options: { size: boolean }): Promise<ContainerView> {
    return inspect(this.#context, name, options)
  }

  list(request: ListRequest): Promise<ContainerView[]> {
    return list(this.#context, request)
  }

  top(name: string, psArguments: string): Promise<{ titles: string[]; processes: string[][] }> {
    return top(this.#context, name, psArguments)
  }

  statPath(name: string, request: { path: string; signal: AbortSignal }): Promise<PathStat> {
    return statPath(this.#context, name, request)
  }

  copyOut(
    name: string,
    request: { path: string; signal: AbortSignal },
  ): Promise<{ stat: PathStat; archive: AsyncIterable<Uint8Array> }> {
    return copyOut(this.#context, name, request)
  }

  copyIn(name: string, copy: { request: CopyInRequest; archive: Readable; signal: AbortSignal }): Promise<void> {
    return copyIn(this.#context, name, copy)
  }

  usage(name: string): ContainerUsage {
    return usage(this.#context, name)
  }

  followUsage(name: string, signal: AbortSignal): AsyncIterable<ContainerUsage> {
    return followUsage(this.#context, name, signal)
  }

  commit(name: string, request: CommitRequest, signal: AbortSignal): Promise<string> {
    return commitContainer(this.#context, name, { request, signal })
  }

  changes(name: string, signal: AbortSignal): Promise<readonly FileChange[]> {
    return changes(this.#context, name, signal)
  }

  export(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return exportFiles(this.#context, name, signal)
  }

  attach(name: string, flags: AttachFlags, options: AttachOptions): Promise<AttachedStream> {
    return attach(this.#context, name, { flags, options })
  }

  /** What `logs --details` shows with each entry. */
  logDetails(name: string): Readonly<Record<string, string>> {
    return detailsOf(this.#context.store.get(name))
  }

  async logs(name: string, request: LogRequest, signal: AbortSignal): Promise<AsyncIterable<readonly LogEntry[]>> {
    return logs(this.#context, name, { request, signal })
  }

  async execCreate(name: string, request: ExecRequest): Promise<{ id: string }> {
    return execCreate(this.#context, name, request)
  }

  execStart(id: string, options: ExecStartOptions): Promise<AttachedStream | undefined> {
    return execStart(this.#context, id, options)
  }

  execInspect(id: string): ExecView {
    return toExecView(this.#context.execs.get(id))
  }

  execResize(id: string, rows: number, columns: number): Promise<void> {
    return execResize(this.#context, id, [rows, columns])
  }
}
