import { formatNanos } from '#base/timestamp.ts'
import type { SystemInfo as WireInfo, SystemVersion as WireVersion } from '#contract/types.gen.ts'
import { type ApiVersion, formatVersion, newestVersion, oldestVersion, since } from '#contract/versions.ts'
import type { SystemInfo, SystemVersion } from '#engine/info.ts'

export function presentVersion(facts: SystemVersion): WireVersion {
  const own = {
    Version: facts.version,
    ApiVersion: formatVersion(newestVersion),
    MinAPIVersion: formatVersion(oldestVersion),
    GitCommit: facts.gitCommit,
    // Clients print this line; there is no Go here, so it says what there is.
    GoVersion: `none (Node.js ${facts.nodeVersion.replace(/^v/, '')})`,
    Os: facts.os,
    Arch: facts.architecture,
    KernelVersion: facts.kernelVersion,
    BuildTime: facts.buildTime,
  }
  const { Version: _, ...details } = own
  return {
    Platform: { Name: 'Berth' },
    Components: [
      { Name: 'Engine', Version: facts.version, Details: { ...details, Experimental: 'false' } },
      { Name: 'berth-runtime', Version: facts.runtimeVersion, Details: { GitCommit: facts.gitCommit } },
    ],
    ...own,
  }
}

/** @param openFiles descriptors of this process */
export function presentInfo(facts: SystemInfo, version: ApiVersion, openFiles: number): WireInfo {
  return {
    NFd: openFiles,
    NGoroutines: 0,
    ...presentCounts(facts),
    ...presentSupport(facts, version),
    ...presentHost(facts),
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: [...facts.loggingDrivers],
    },
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: presentRegistries(facts, version),
    GenericResources: null,
    HttpProxy: facts.httpProxy,
    HttpsProxy: facts.httpsProxy,
    NoProxy: facts.noProxy,
    Labels: [...facts.labels],
    ExperimentalBuild: false,
    ServerVersion: facts.version,
    Runtimes: Object.fromEntries(facts.runtimes.map(([name, path]) => [name, { path }])),
    DefaultRuntime: facts.defaultRuntime,
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    // Containers outlive the daemon always; it is not an option.
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: 'berth-init',
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: facts.runtimeVersion },
    InitCommit: { ID: '' },
    SecurityOptions: version < since.securityOptionFields ? facts.securityOptions.map(nameOnly) : facts.securityOptions,
    CDISpecDirs: [...facts.cdiSpecDirs],
    ...(version >= since.firewallBackend && { FirewallBackend: { Driver: facts.firewall } }),
    Warnings: facts.warnings.length === 0 ? null : facts.warnings,
  }
}

function presentCounts(facts: SystemInfo) {
  const { running, paused, stopped } = facts.containers
  return {
    ID: facts.id,
    Containers: running + paused + stopped,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: stopped,
    Images: facts.images,
    Driver: facts.storageDriver,
    DriverStatus: [['Backing Filesystem', facts.backingFilesystem], ...facts.storageFacts],
    DockerRootDir: facts.dataRoot,
    Debug: facts.debug,
    NEventsListener: facts.eventListeners,
    SystemTime: formatNanos(facts.systemTime),
    LoggingDriver: facts.loggingDriver,
    CgroupDriver: facts.cgroupDriver,
    CgroupVersion: facts.cgroupVersion,
  }
}

function presentSupport({ supports }: SystemInfo, version: ApiVersion) {
  return {
    MemoryLimit: supports.memoryLimit,
    SwapLimit: supports.swapLimit,
    ...(version < since.noKernelMemory && supports.kernelMemory && { KernelMemory: true }),
    ...(supports.kernelMemoryTcp && { KernelMemoryTCP: true }),
    CpuCfsPeriod: supports.cpuCfs,
    CpuCfsQuota: supports.cpuCfs,
    CPUShares: supports.cpuShares,
    CPUSet: supports.cpuset,
    PidsLimit: supports.pidsLimit,
    OomKillDisable: supports.oomKillDisable,
    IPv4Forwarding: supports.ipv4Forwarding,
    ...(version < since.noBridgeNf && { BridgeNfIptables: false, BridgeNfIp6tables: false }),
  }
}

function presentHost(facts: SystemInfo) {
  return {
    Name: facts.name,
    KernelVersion: facts.kernelVersion,
    OperatingSystem: facts.operatingSystem,
    OSVersion: facts.osVersion,
    OSType: facts.os,
    Architecture: machineOf(facts.architecture),
    NCPU: facts.cpus,
    MemTotal: facts.memoryBytes,
  }
}

/** `name=seccomp,profile=builtin` was `seccomp`. */
function nameOnly(option: string): string {
  return option.replace(/^name=/, '').split(',', 1)[0] ?? ''
}

/** Info says what uname says, version what Go says. */
function machineOf(architecture: string): string {
  const names: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64' }
  return names[architecture] ?? architecture
}

function presentRegistries(facts: SystemInfo, version: ApiVersion): WireInfo['RegistryConfig'] {
  const ranges = facts.insecureRegistries.filter((one) => one.includes('/'))
  const hosts = facts.insecureRegistries.filter((one) => !one.includes('/'))
  return {
    ...(version < since.noNondistributable && {
      AllowNondistributableArtifactsCIDRs: null,
      AllowNondistributableArtifactsHostnames: null,
    }),
    InsecureRegistryCIDRs: [...new Set(['::1/128', '127.0.0.0/8', ...ranges])],
    IndexConfigs: {
      'docker.io': { Name: 'docker.io', Mirrors: facts.registryMirrors, Secure: true, Official: true },
      ...Object.fromEntries(hosts.map((Name) => [Name, { Name, Mirrors: [], Secure: false, Official: false }])),
    },
    Mirrors: facts.registryMirrors.length === 0 ? null : facts.registryMirrors,
  }
}
