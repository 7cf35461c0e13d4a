/** Facts for GET /version. */
export interface SystemVersion {
  readonly version: string
  readonly gitCommit: string
  readonly buildTime: string
  readonly os: string
  readonly architecture: string
  readonly kernelVersion: string
  readonly runtimeVersion: string
  readonly nodeVersion: string
}

/** Facts for GET /info. */
export interface SystemInfo extends SystemVersion {
  readonly id: string
  readonly name: string
  readonly containers: { readonly running: number; readonly paused: number; readonly stopped: number }
  readonly images: number
  readonly storageDriver: string
  readonly backingFilesystem: string
  /** What else there is to say of the storage driver, in Docker's words. */
  readonly storageFacts: readonly (readonly [label: string, value: string])[]
  readonly loggingDriver: string
  readonly loggingDrivers: readonly string[]
  readonly cgroupDriver: 'cgroupfs' | 'systemd'
  readonly cgroupVersion: '1' | '2'
  readonly operatingSystem: string
  readonly osVersion: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly dataRoot: string
  readonly securityOptions: readonly string[]
  /** Name and path; the built-in one first. */
  readonly runtimes: readonly (readonly [name: string, path: string])[]
  readonly defaultRuntime: string
  readonly warnings: readonly string[]
  readonly debug: boolean
  readonly labels: readonly string[]
  readonly cdiSpecDirs: readonly string[]
  readonly insecureRegistries: readonly string[]
  readonly registryMirrors: readonly string[]
  readonly httpProxy: string
  readonly httpsProxy: string
  readonly noProxy: string
  readonly eventListeners: number
  readonly systemTime: bigint
  /** Limits this host's kernel can set. */
  readonly supports: {
    readonly memoryLimit: boolean
    readonly swapLimit: boolean
    readonly cpuShares: boolean
    readonly cpuCfs: boolean
    readonly cpuset: boolean
    readonly pidsLimit: boolean
    readonly oomKillDisable: boolean
    readonly kernelMemory: boolean
    readonly kernelMemoryTcp: boolean
    /** On, or turned on by the first network that needs it. */
    readonly ipv4Forwarding: boolean
  }
  /** What the rules of networks are written with. */
  readonly firewall: string
}
