/** config.json of a bundle, as far as we write it. @see runtime-spec v1.2 config.md, config-linux.md */
export interface RuntimeSpec {
  readonly ociVersion: string
  readonly hostname?: string
  readonly domainname?: string
  readonly process: ProcessSpec
  readonly root: { readonly path: string; readonly readonly?: boolean }
  readonly mounts: readonly MountSpec[]
  readonly annotations?: Readonly<Record<string, string>>
  readonly hooks?: HooksSpec
  readonly linux: LinuxSpec
}

export interface HookSpec {
  readonly path: string
  readonly args?: readonly string[]
  readonly env?: readonly string[]
  /** Seconds. */
  readonly timeout?: number
}

export type HookKind = 'prestart' | 'createRuntime' | 'createContainer' | 'startContainer' | 'poststart' | 'poststop'

export type HooksSpec = Readonly<Partial<Record<HookKind, readonly HookSpec[]>>>

export interface ProcessSpec {
  readonly terminal?: boolean
  readonly consoleSize?: { readonly height: number; readonly width: number }
  readonly user: {
    readonly uid: number
    readonly gid: number
    readonly additionalGids?: readonly number[]
    readonly umask?: number
  }
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly cwd: string
  readonly capabilities?: CapabilitySets
  readonly rlimits?: readonly { readonly type: string; readonly soft: number; readonly hard: number }[]
  readonly noNewPrivileges?: boolean
  readonly oomScoreAdj?: number
  readonly apparmorProfile?: string
  readonly selinuxLabel?: string
  readonly scheduler?: {
    readonly policy: string
    readonly nice?: number
    readonly priority?: number
    readonly flags?: readonly string[]
    readonly runtime?: number
    readonly deadline?: number
    readonly period?: number
  }
  readonly ioPriority?: { readonly class: string; readonly priority?: number }
  readonly execCPUAffinity?: { readonly initial?: string; readonly final?: string }
}

export interface CapabilitySets {
  readonly bounding: readonly string[]
  readonly effective: readonly string[]
  readonly permitted: readonly string[]
  readonly inheritable: readonly string[]
  readonly ambient: readonly string[]
}

export interface MountSpec {
  readonly destination: string
  readonly type?: string
  readonly source?: string
  readonly options?: readonly string[]
  /** A path beneath the source of a bind that is mounted in its place; only our own runtime knows it. */
  readonly berthSubpath?: string
  /** Path of the mount namespace that the source of a bind is in, and no link leads there; only our own runtime knows it. */
  readonly berthNamespace?: string
}

export type NamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time'

export interface IdMapSpec {
  readonly containerID: number
  readonly hostID: number
  readonly size: number
}

export interface LinuxSpec {
  readonly namespaces: readonly { readonly type: NamespaceType; readonly path?: string }[]
  readonly devices?: readonly DeviceSpec[]
  readonly cgroupsPath: string
  readonly resources?: ResourcesSpec
  readonly rootfsPropagation?: string
  readonly mountLabel?: string
  readonly maskedPaths?: readonly string[]
  readonly readonlyPaths?: readonly string[]
  readonly sysctl?: Readonly<Record<string, string>>
  readonly seccomp?: object
  readonly personality?: { readonly domain: string; readonly flags?: readonly string[] }
  readonly memoryPolicy?: { readonly mode: string; readonly nodes?: string; readonly flags?: readonly string[] }
  readonly uidMappings?: readonly IdMapSpec[]
  readonly gidMappings?: readonly IdMapSpec[]
  readonly timeOffsets?: Readonly<
    Partial<Record<'monotonic' | 'boottime', { readonly secs?: number; readonly nanosecs?: number }>>
  >
  readonly netDevices?: Readonly<Record<string, { readonly name?: string }>>
}

export interface DeviceSpec {
  readonly type: 'c' | 'b' | 'u' | 'p'
  readonly path: string
  readonly major: number
  readonly minor: number
  readonly fileMode?: number
  readonly uid?: number
  readonly gid?: number
}

export type ThrottleKind =
  | 'throttleReadBpsDevice'
  | 'throttleWriteBpsDevice'
  | 'throttleReadIOPSDevice'
  | 'throttleWriteIOPSDevice'

/** Bytes or operations a second. */
export interface ThrottleSpec {
  readonly major: number
  readonly minor: number
  readonly rate: number
}

export interface ResourcesSpec {
  readonly devices?: readonly {
    readonly allow: boolean
    readonly type?: 'a' | 'b' | 'c'
    readonly major?: number
    readonly minor?: number
    readonly access?: string
  }[]
  readonly memory?: {
    readonly limit?: number
    readonly reservation?: number
    readonly swap?: number
    readonly swappiness?: number
    readonly disableOOMKiller?: boolean
  }
  readonly cpu?: {
    readonly shares?: number
    readonly quota?: number
    readonly period?: number
    readonly realtimeRuntime?: number
    readonly realtimePeriod?: number
    readonly cpus?: string
    readonly mems?: string
  }
  readonly pids?: { readonly limit: number }
  readonly blockIO?: { readonly weight?: number } & Partial<Record<ThrottleKind, readonly ThrottleSpec[]>>
  readonly unified?: Readonly<Record<string, string>>
}
