import type { LogFormat, LogLevel } from '#base/log.ts'
import type { Ulimit } from '#containers/container.ts'
import type { DefaultCgroupnsMode, DefaultIpcMode } from '#containers/create-defaults.ts'
import type { OtherRuntime } from '#containers/runtimes.ts'
import type { DiskLimits } from '#images/budget/disk-budget.ts'
import type { Compression } from '#images/layers/compress.ts'
import type { RegistrySetting } from '#images/registry/registry-config.ts'
import type { Pool } from '#network/ipam/pool.ts'

/** Everything the daemon can be told, decided once at start. */
export interface Config {
  readonly dataRoot: string
  readonly execRoot: string
  readonly hosts: readonly string[]
  readonly group: string | undefined
  /** Ours: serve /var/run/docker.sock too, where nobody else does. */
  readonly dockerSocket: boolean
  /** TLS on tcp://; undefined: nobody said so, and false is a decision. */
  readonly tls: boolean | undefined
  /** Only clients with a certificate of `tlsCaCert` are served. */
  readonly tlsVerify: boolean | undefined
  readonly tlsCaCert: string | undefined
  readonly tlsCert: string | undefined
  readonly tlsKey: string | undefined
  readonly pidfile: string | undefined
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  readonly debug: boolean
  /** `key=value`, of the engine itself. */
  readonly labels: readonly string[]
  readonly insecureRegistries: readonly string[]
  readonly registryMirrors: readonly string[]
  /** What is said about single registries and parts of them, by prefix. */
  readonly registries: Readonly<Record<string, RegistrySetting>>
  /** Undefined: what the environment says. */
  readonly httpProxy: string | undefined
  readonly httpsProxy: string | undefined
  readonly noProxy: string | undefined
  /** Layers at a time, over all pulls, and over all pushes. */
  readonly maxConcurrentDownloads: number
  readonly maxConcurrentUploads: number
  /** Of pushed layers that were made here. */
  readonly pushCompression: Compression
  /** How often a download that breaks is tried. */
  readonly maxDownloadAttempts: number
  readonly bip: string | undefined
  readonly mtu: number
  /** Undefined: Docker's. */
  readonly addressPools: readonly Pool[] | undefined
  /** OCI commands besides the built-in runtime, by the name containers ask for. */
  readonly runtimes: Readonly<Record<string, OtherRuntime>>
  readonly defaultRuntime: string
  /** Of containers that name none, and its options. */
  readonly logDriver: string
  readonly logOptions: Readonly<Record<string, string>>
  /** Directories of CDI files, the last one counting most. */
  readonly cdiSpecDirs: readonly string[]
  /** Of containers that do not name them. */
  readonly defaultUlimits: readonly Ulimit[]
  /** Of containers that say nothing of it. */
  readonly noNewPrivileges: boolean
  readonly init: boolean
  /** Process 1 of containers that have an init; undefined: the engine's own. */
  readonly initPath: string | undefined
  readonly defaultShmSizeBytes: number
  readonly defaultIpcMode: DefaultIpcMode
  readonly defaultCgroupnsMode: DefaultCgroupnsMode
  /** '': the engine's own. */
  readonly cgroupParent: string
  /** `builtin`, `unconfined` or the path of a profile. */
  readonly seccompProfile: string
  /** Of containers that name none, list by list; empty: the host's. */
  readonly dns: readonly string[]
  readonly dnsOptions: readonly string[]
  readonly dnsSearch: readonly string[]
  /** What `host-gateway` means; empty: the default bridge's own address. */
  readonly hostGateways: readonly string[]
  /** Where the default bridge publishes ports that name no address. */
  readonly publishAddress: string
  /** Seconds; containers are left running here, so that nobody waits for them. */
  readonly shutdownTimeout: number
  /** `native.cgroupdriver=systemd` */
  readonly execOptions: readonly string[]
  /** As dockerd takes it: `default`, or a user and perhaps a group, by name or number. */
  readonly usernsRemap: string | undefined
  /** Labels for containers, where the host has SELinux. */
  readonly selinuxEnabled: boolean
  /** `overlay2.size=10G` */
  readonly storageOptions: readonly string[]
  /** Ours: `{"budget": "50GB", "minFree": "5%"}`. */
  readonly disk: DiskLimits
}

/** What flags or the file may set; undefined: not set there. */
export type Settings = { readonly [Key in keyof Config]?: Config[Key] | undefined }
