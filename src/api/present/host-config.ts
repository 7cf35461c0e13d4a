import type { BlkioLimit, HostSettings } from '#containers/container.ts'
import type { HostConfig, Mount } from '#contract/types.gen.ts'
import { type ApiVersion, since } from '#contract/versions.ts'

/** HostConfig as inspect shows it: a client may send it back to create the same container again. */
export function presentHostConfig(host: HostSettings, version: ApiVersion): HostConfig {
  const mounts = host.mounts.filter(({ origin }) => origin === 'mounts')
  const tmpfs = host.mounts.filter(({ origin }) => origin === 'tmpfs')
  return withNulls(host.absent ?? [], {
    Binds: host.binds.length === 0 ? null : host.binds,
    ContainerIDFile: host.containerIdFile,
    LogConfig: { Type: host.logConfig.driver, Config: host.logConfig.options },
    NetworkMode: host.networkMode,
    PortBindings: presentPortBindings(host.portBindings),
    RestartPolicy: { Name: host.restartPolicy.name, MaximumRetryCount: host.restartPolicy.maximumRetryCount },
    AutoRemove: host.autoRemove,
    VolumeDriver: host.volumeDriver,
    VolumesFrom: orNull(host.volumesFrom),
    ConsoleSize: host.consoleSize,
    ...(version >= since.annotations && presentAnnotations(host)),
    ...(mounts.length > 0 && { Mounts: mounts.map(({ asked }): Mount => asked ?? {}) }),
    ...presentProcessHalf(host),
    ...(tmpfs.length > 0 && {
      Tmpfs: Object.fromEntries(tmpfs.map(({ target, tmpfsOptions }) => [target, tmpfsOptions ?? ''])),
    }),
    ...presentResources(host),
  })
}

export function presentAnnotations({
  annotations,
}: Pick<HostSettings, 'annotations'>): Pick<HostConfig, 'Annotations'> {
  return Object.keys(annotations).length > 0 ? { Annotations: annotations } : {}
}

/** What the daemon's defaults have put into a list is shown. */
function withNulls(absent: readonly string[], config: HostConfig): HostConfig {
  const empty = absent.filter((name) => Object.keys(Reflect.get(config, name) ?? {}).length === 0)
  return { ...config, ...Object.fromEntries(empty.map((name) => [name, null])) }
}

function presentProcessHalf(host: HostSettings) {
  return {
    CapAdd: orNull(host.capAdd),
    CapDrop: orNull(host.capDrop),
    CgroupnsMode: host.cgroupnsMode,
    Dns: host.dns,
    DnsOptions: host.dnsOptions,
    DnsSearch: host.dnsSearch,
    ExtraHosts: orNull(host.extraHosts),
    GroupAdd: orNull(host.groupAdd),
    IpcMode: host.ipcMode,
    Cgroup: '',
    Links: orNull(host.links),
    OomScoreAdj: host.oomScoreAdj,
    PidMode: host.pidMode,
    Privileged: host.privileged,
    PublishAllPorts: host.publishAllPorts,
    ReadonlyRootfs: host.readonlyRootfs,
    SecurityOpt: orNull(host.securityOpt),
    UTSMode: host.utsMode,
    UsernsMode: host.usernsMode,
    ShmSize: host.shmSizeBytes,
    ...(host.storageOpt && Object.keys(host.storageOpt).length > 0 && { StorageOpt: host.storageOpt }),
    ...(Object.keys(host.sysctls).length > 0 && { Sysctls: host.sysctls }),
    Runtime: host.runtime,
    Isolation: '',
    // Null is "the default list"; an empty list, sent back, would mask nothing.
    MaskedPaths: host.maskedPaths ?? null,
    ReadonlyPaths: host.readonlyPaths ?? null,
    ...(host.init !== undefined && { Init: host.init }),
  }
}

function presentResources(host: HostSettings) {
  return {
    CpuShares: host.cpuShares,
    Memory: host.memoryBytes,
    NanoCpus: host.nanoCpus,
    CgroupParent: host.cgroupParent,
    BlkioWeight: host.blkioWeight,
    BlkioWeightDevice: [],
    BlkioDeviceReadBps: presentThrottles(host, 'readBps'),
    BlkioDeviceWriteBps: presentThrottles(host, 'writeBps'),
    BlkioDeviceReadIOps: presentThrottles(host, 'readIops'),
    BlkioDeviceWriteIOps: presentThrottles(host, 'writeIops'),
    CpuPeriod: host.cpuPeriodMicros,
    CpuQuota: host.cpuQuotaMicros,
    CpuRealtimePeriod: 0,
    CpuRealtimeRuntime: 0,
    CpusetCpus: host.cpusetCpus,
    CpusetMems: host.cpusetMems,
    Devices: host.devices.map(({ pathOnHost, pathInContainer, permissions }) => ({
      PathOnHost: pathOnHost,
      PathInContainer: pathInContainer,
      CgroupPermissions: permissions,
    })),
    DeviceCgroupRules: orNull(host.deviceCgroupRules),
    DeviceRequests: presentDeviceRequests(host),
    MemoryReservation: host.memoryReservationBytes,
    MemorySwap: host.memorySwapBytes,
    MemorySwappiness: host.memorySwappiness ?? null,
    OomKillDisable: host.oomKillDisable,
    PidsLimit: host.pidsLimit ?? null,
    Ulimits: host.ulimits.map(({ name, soft, hard }) => ({ Name: name, Hard: hard, Soft: soft })),
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
  }
}

function presentPortBindings(bindings: HostSettings['portBindings']): HostConfig['PortBindings'] {
  return Object.fromEntries(
    Object.entries(bindings).map(([port, list]) => [
      port,
      list.map(({ hostIp, hostPort }) => ({ HostIp: hostIp, HostPort: hostPort })),
    ]),
  )
}

function orNull(list: readonly string[]): readonly string[] | null {
  return list.length === 0 ? null : list
}

function presentThrottles({ blkioLimits = [] }: HostSettings, wanted: BlkioLimit['kind']) {
  return blkioLimits.filter(({ kind }) => kind === wanted).map(({ path, rate }) => ({ Path: path, Rate: rate }))
}

function presentDeviceRequests({ deviceRequests = [] }: HostSettings): HostConfig['DeviceRequests'] {
  if (deviceRequests.length === 0) return null
  return deviceRequests.map(({ driver, count, deviceIds, capabilities, options }) => ({
    Driver: driver,
    Count: count,
    DeviceIDs: deviceIds.length === 0 ? null : deviceIds,
    Capabilities: capabilities.length === 0 ? null : capabilities,
    Options: Object.keys(options).length === 0 ? null : options,
  }))
}
