import type { Digest } from '#base/digest.ts'
import type { SelinuxLabels } from './selinux/labels.ts'

/** What the process is: the part of a container that an image can give defaults for. Set once, at create. */
export interface ContainerConfig {
  /** As the user named it. */
  readonly image: string
  readonly hostname: string
  readonly domainname: string
  /** `uid`, `name`, `uid:gid`, `name:group` or empty. */
  readonly user: string
  readonly attachStdin: boolean
  readonly attachStdout: boolean
  readonly attachStderr: boolean
  readonly tty: boolean
  readonly openStdin: boolean
  readonly stdinOnce: boolean
  readonly env: readonly string[]
  /** Null: the image's own. */
  readonly cmd: readonly string[] | null
  readonly entrypoint: readonly string[] | null
  readonly workingDir: string
  readonly labels: Readonly<Record<string, string>>
  readonly exposedPorts: readonly string[]
  readonly volumes: readonly string[]
  readonly stopSignal: string | undefined
  readonly stopTimeoutSeconds: number | undefined
  readonly shell: readonly string[] | undefined
  readonly networkDisabled: boolean
  readonly healthcheck: Healthcheck | undefined
}

/** In the names of image configs and of the API. Times are nanoseconds; 0 and what is left out mean the default. */
export interface Healthcheck {
  /** `NONE`, or `CMD`, `CMD-SHELL`, `HTTP`, `TCP` with what belongs to it. */
  readonly Test?: readonly string[]
  readonly Interval?: number
  readonly Timeout?: number
  readonly StartPeriod?: number
  readonly StartInterval?: number
  readonly Retries?: number
}

export interface RestartPolicy {
  readonly name: 'no' | 'always' | 'unless-stopped' | 'on-failure'
  readonly maximumRetryCount: number
}

export interface LogConfig {
  readonly driver: string
  readonly options: Readonly<Record<string, string>>
}

export interface Ulimit {
  readonly name: string
  readonly soft: number
  readonly hard: number
}

export interface DeviceMapping {
  readonly pathOnHost: string
  readonly pathInContainer: string
  readonly permissions: string
}

export type Propagation = '' | 'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave'

/** `-v source:target:options`, `--mount` or `--tmpfs`, parsed. */
export interface MountSetting {
  readonly type: 'bind' | 'tmpfs' | 'volume' | 'image'
  /** Host path of a bind, name of a volume ('': anonymous), reference of an image. */
  readonly source: string
  readonly target: string
  readonly readonly: boolean
  readonly propagation: Propagation
  /** `-v` makes a missing host directory; `--mount` refuses. */
  readonly createSource: boolean
  readonly nonRecursive: boolean
  /** What comes along below a read-only bind: as it is, or read-only or not at all; else read-only where the kernel can. */
  readonly readonlyBelow: 'if-possible' | 'never' | 'always'
  readonly volume: VolumeSetting | undefined
  /** A path in the volume or image that is mounted in its place; '': all of it. */
  readonly subpath: string
  readonly tmpfsSizeBytes: number | undefined
  readonly tmpfsMode: number | undefined
  /** Mount options of `--tmpfs path:options`, as they came. */
  readonly tmpfsOptions: string | undefined
  /** The options of `-v` as they came; with `z` or `Z` they ask for labels of SELinux; undefined: none. */
  readonly mode: string | undefined
  /** Where it came from, so that inspect can give it back. */
  readonly origin: 'binds' | 'mounts' | 'tmpfs'
  /** The API's Mount object, kept as it came; only of `mounts`. */
  readonly asked: Readonly<Record<string, unknown>> | undefined
}

/** What a volume is made with when it is not there. */
export interface VolumeSetting {
  /** '': the container's driver of volumes. */
  readonly driver: string
  readonly options: Readonly<Record<string, string>> | undefined
  readonly labels: Readonly<Record<string, string>> | undefined
  /** Leaves an empty volume empty, whatever the image has there. */
  readonly noCopy: boolean
}

/** What is mounted in a container, as its creation found it. */
export interface MountPoint extends Omit<MountSetting, 'origin' | 'createSource' | 'volume' | 'asked'> {
  /** Of a volume or image; '' for others. */
  readonly name: string
  /** Of a volume; '' for others. */
  readonly driver: string
  /** Path on the host; '' for a tmpfs. A plugin's volume may be elsewhere after each start. */
  readonly source: string
  readonly createSource: boolean
  /** Nobody asked for it: a source that cannot have it gets `rprivate`. */
  readonly propagationIsDefault?: boolean
  /** A volume that nobody named: it goes with its container when that is asked for. */
  readonly anonymous: boolean
  /** `volumes`: declared by the image or by `-v target`; `tmpfs`: by --tmpfs, which is shown elsewhere. */
  readonly origin: 'binds' | 'mounts' | 'tmpfs' | 'volumes' | 'other-container'
}

/** Bytes or operations a second, of one device of the host. */
export interface BlkioLimit {
  readonly kind: 'readBps' | 'writeBps' | 'readIops' | 'writeIops'
  readonly path: string
  readonly rate: number
}

/** Devices that somebody else describes: by CDI names, or as so many GPUs. */
export interface DeviceRequest {
  readonly driver: string
  /** -1: all. */
  readonly count: number
  readonly deviceIds: readonly string[]
  /** Any of the lists, all of its entries. */
  readonly capabilities: readonly (readonly string[])[]
  readonly options: Readonly<Record<string, string>>
}

/** How the host serves the container. `undefined`: not asked for. */
export interface HostSettings {
  /** `Binds` as they came, for inspect. */
  readonly binds: readonly string[]
  readonly mounts: readonly MountSetting[]
  /** `VolumeDriver`: of volumes that name none. */
  readonly volumeDriver: string
  readonly networkMode: string
  readonly restartPolicy: RestartPolicy
  readonly autoRemove: boolean
  readonly privileged: boolean
  readonly readonlyRootfs: boolean
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  readonly groupAdd: readonly string[]
  readonly dns: readonly string[]
  readonly dnsOptions: readonly string[]
  readonly dnsSearch: readonly string[]
  readonly extraHosts: readonly string[]
  readonly securityOpt: readonly string[]
  readonly maskedPaths: readonly string[] | undefined
  readonly readonlyPaths: readonly string[] | undefined
  readonly ipcMode: string
  readonly pidMode: string
  readonly utsMode: string
  readonly cgroupnsMode: string
  readonly usernsMode: string
  readonly cgroupParent: string
  readonly shmSizeBytes: number
  readonly memoryBytes: number
  readonly memoryReservationBytes: number
  readonly memorySwapBytes: number
  readonly memorySwappiness: number | undefined
  readonly oomKillDisable: boolean
  readonly oomScoreAdj: number
  readonly cpuShares: number
  readonly cpuQuotaMicros: number
  readonly cpuPeriodMicros: number
  readonly nanoCpus: number
  readonly cpusetCpus: string
  readonly cpusetMems: string
  /** 0 or below: unlimited; undefined: not asked for. */
  readonly pidsLimit: number | undefined
  readonly blkioWeight: number
  /** Undefined: made before they could be asked for. */
  readonly blkioLimits: readonly BlkioLimit[] | undefined
  readonly ulimits: readonly Ulimit[]
  readonly devices: readonly DeviceMapping[]
  readonly deviceCgroupRules: readonly string[]
  /** Undefined: made before they could be asked for. */
  readonly deviceRequests: readonly DeviceRequest[] | undefined
  readonly sysctls: Readonly<Record<string, string>>
  /** `--storage-opt`, as it came; undefined: made before it could be asked for. */
  readonly storageOpt: Readonly<Record<string, string>> | undefined
  readonly logConfig: LogConfig
  /** Undefined: not said, so that the daemon says it. */
  readonly init?: boolean | undefined
  readonly runtime: string
  readonly consoleSize: readonly [height: number, width: number]
  readonly annotations: Readonly<Record<string, string>>
  readonly containerIdFile: string
  readonly volumesFrom: readonly string[]
  readonly links: readonly string[]
  /** `80/tcp` → bindings asked for. Refused until networks publish ports. */
  readonly portBindings: Readonly<Record<string, readonly { readonly hostIp: string; readonly hostPort: string }[]>>
  readonly publishAllPorts: boolean
  /** Lists that the create request did not have, by their names in the API: inspect shows null for them. */
  readonly absent?: readonly string[]
}

export type Status = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'

/** Times are nanoseconds since 1970; undefined: has not happened. */
export interface ContainerState {
  readonly status: Status
  readonly pid: number
  readonly exitCode: number
  readonly error: string
  readonly oomKilled: boolean
  readonly startedAt: bigint | undefined
  readonly finishedAt: bigint | undefined
  /** `docker stop` and `kill` keep the restart policy from bringing it back. */
  readonly stoppedByUser: boolean
  /** The daemon's parent of cgroups at the last start; absent or '': its own. */
  readonly cgroupParent?: string
  /** Undefined: has no health check, or has never run. */
  readonly health: Health | undefined
}

export interface Health {
  readonly status: 'starting' | 'healthy' | 'unhealthy'
  /** Failures since the last success. */
  readonly failingStreak: number
  /** The last ones, oldest first. */
  readonly results: readonly HealthResult[]
}

/** One probe. Times are nanoseconds since 1970. */
export interface HealthResult {
  readonly startedAt: bigint
  readonly endedAt: bigint
  /** 0: healthy; -1: it did not end in time, or could not be started. */
  readonly exitCode: number
  readonly output: string
}

/** What is done to a container that has become unhealthy. */
export type HealthAction = 'restart' | 'stop' | 'kill'

export interface Container {
  readonly id: string
  /** Without the leading slash. */
  readonly name: string
  readonly createdAt: bigint
  readonly imageId: Digest
  /** The root descriptor's digest (index or manifest) that the image came from. */
  readonly imageRoot: Digest
  readonly platform: string
  readonly config: ContainerConfig
  readonly host: HostSettings
  readonly state: ContainerState
  readonly restartCount: number
  /** The command line of init, after image defaults: `path` and `args`. */
  readonly path: string
  readonly args: readonly string[]
  readonly logPath: string
  readonly mounts: readonly MountPoint[]
  /** Given at create, for good; undefined: the daemon had none to give. */
  readonly selinux: SelinuxLabels | undefined
  readonly onUnhealthy: HealthAction | undefined
}
