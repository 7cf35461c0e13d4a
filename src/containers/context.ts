import type { Clock } from '#base/clock.ts'
import type { KeyedLock } from '#base/keyed-lock.ts'
import type { Logger } from '#base/log.ts'
import type { EventBus } from '#events/bus.ts'
import type { CopyTable } from './archive/copy-table.ts'
import type { AttachTable } from './attach-table.ts'
import type { CdiRegistry } from './cdi/registry.ts'
import type { Container, LogConfig } from './container.ts'
import type { ContainerPaths } from './container-paths.ts'
import type { ContainerStore } from './container-store.ts'
import type { CurrentDefaults } from './create-defaults.ts'
import type { ExecTable } from './exec-table.ts'
import type { ExitWatch } from './exit-watch.ts'
import type { HealthMonitors } from './health/monitors.ts'
import type { LogForwarders } from './logs/forwarders.ts'
import type {
  CgroupControl,
  ContainerFiles,
  ImageSource,
  LayerMarks,
  NetworkAttacher,
  PlanCompiler,
  RootfsReader,
  ShimLauncher,
  SnapshotSource,
  VolumeSource,
} from './ports.ts'
import type { RestartTimers } from './restart-timers.ts'
import type { Runtimes } from './runtimes.ts'
import type { DnsDefaults } from './sandbox-request.ts'
import type { Selinux } from './selinux/selinux.ts'
import type { AppArmor } from './spec/apparmor.ts'
import type { CgroupDriver } from './spec/cgroups.ts'
import type { IdMaps } from './spec/id-maps.ts'
import type { ProcessDefaults } from './spec/process-defaults.ts'
import type { SeccompFilters } from './spec/seccomp-filters.ts'
import type { StatsSampler } from './stats/sampler.ts'
import type { TaskTable } from './task.ts'

/** Everything the verbs of this layer work with. */
export interface ContainerContext {
  readonly store: ContainerStore
  readonly events: EventBus
  /** One verb at a time for each container id. */
  readonly locks: KeyedLock
  readonly tasks: TaskTable
  readonly execs: ExecTable
  readonly attaches: AttachTable
  readonly restarts: RestartTimers
  /** The next attempt of a container that waits for it: exits lead to starts, and starts to exits. */
  readonly restartNow: (id: string, signal: AbortSignal) => Promise<void>
  readonly health: HealthMonitors
  /** What the container's settings say of a container that has become unhealthy, in the background. */
  readonly whenUnhealthy: (container: Container) => void
  readonly exits: ExitWatch
  readonly samples: StatsSampler
  readonly forwarders: LogForwarders
  /** Of containers that name no driver. */
  readonly defaultLog: LogConfig
  readonly cdi: CdiRegistry
  readonly processDefaults: ProcessDefaults
  readonly defaults: CurrentDefaults
  readonly dnsDefaults: DnsDefaults
  /** Where the cgroups of containers are that name no parent; '': the engine's own. */
  readonly cgroupParent: string
  /** What containers that ask for no size may write; 0: as much as there is. */
  readonly defaultSizeBytes: number
  readonly images: ImageSource
  readonly snapshots: SnapshotSource
  readonly layerMarks: LayerMarks
  readonly rootfs: RootfsReader
  readonly files: ContainerFiles
  readonly copies: CopyTable
  readonly network: NetworkAttacher
  readonly volumes: VolumeSource
  readonly shims: ShimLauncher
  readonly cgroups: CgroupControl
  readonly plans: PlanCompiler
  readonly seccomp: SeccompFilters
  readonly appArmor: AppArmor
  readonly selinux: Selinux
  /** Process 1 of containers that ask for one. */
  readonly initProgram: string
  /** Asks ports for health checks. */
  readonly probeProgram: string
  /** Compresses rotated logs: berth-unpack. */
  readonly compressProgram: string
  readonly paths: ContainerPaths
  readonly runtimes: Runtimes
  readonly cgroupDriver: CgroupDriver
  /** Of containers that do not ask for the host's users; undefined: the host's. */
  readonly idMaps: IdMaps | undefined
  readonly clock: Clock
  readonly log: Logger
  /** Work that outlives the request it came from (clean-up after an exit, restarts): aborted and awaited when the daemon stops. */
  readonly background: Background
}

export interface Background {
  readonly signal: AbortSignal
  /** Follows a promise to its end; a failure is logged. */
  run(what: string, work: () => Promise<void>): void
  /** Resolves when nothing is left. */
  settled(): Promise<void>
}
