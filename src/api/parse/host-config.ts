import { invalid, notImplemented } from '#base/errors.ts'
import type { BlkioLimit, HostSettings, RestartPolicy } from '#containers/container.ts'
import type { ContainerUpdateRequest, HostConfigRequest } from '#contract/types.gen.ts'
import { type ApiVersion, newestVersion, since } from '#contract/versions.ts'
import type { UpdateRequest } from '#engine/engine.ts'
import { parseBind, parseMount, parseTmpfs } from './mounts.ts'
import { parsePortBindings } from './ports.ts'

/** Docker's engine gives these back as they came; of others it makes its own. */
const listsThatStayNull = [
  ...(['Dns', 'DnsOptions', 'DnsSearch', 'PortBindings', 'Devices', 'Ulimits', 'BlkioWeightDevice'] as const),
  ...(['BlkioDeviceReadBps', 'BlkioDeviceWriteBps', 'BlkioDeviceReadIOps', 'BlkioDeviceWriteIOps'] as const),
]

/** The host half of a create request; what it leaves out is for the daemon's defaults, and what values mean together, the engine checks.   @throws `invalid`, `not-implemented` */
export function parseHostConfig(host: HostConfigRequest, version: ApiVersion = newestVersion): HostSettings {
  refuseWhatIsMissing(host)
  if (host.Isolation && host.Isolation !== 'default') {
    throw invalid(`invalid isolation (${host.Isolation}): linux only supports 'default'`)
  }
  const mounts = [
    ...(host.Binds ?? []).map(parseBind),
    ...(host.Mounts ?? []).map(parseMount),
    ...Object.entries(host.Tmpfs ?? {}).map(([target, options]) => parseTmpfs(target, options)),
  ]
  return {
    ...parseProcessHalf(host),
    ...parseResources(host),
    binds: host.Binds ?? [],
    mounts,
    networkMode: !host.NetworkMode || host.NetworkMode === 'default' ? 'bridge' : host.NetworkMode,
    restartPolicy: parseRestartPolicy(host.RestartPolicy),
    autoRemove: host.AutoRemove ?? false,
    dns: host.Dns ?? [],
    dnsOptions: host.DnsOptions ?? [],
    dnsSearch: host.DnsSearch ?? [],
    extraHosts: host.ExtraHosts ?? [],
    logConfig: { driver: host.LogConfig?.Type ?? '', options: host.LogConfig?.Config ?? {} },
    runtime: host.Runtime ?? '',
    consoleSize: [host.ConsoleSize?.[0] ?? 0, host.ConsoleSize?.[1] ?? 0],
    annotations: (version >= since.annotations && host.Annotations) || {},
    storageOpt: host.StorageOpt ?? {},
    containerIdFile: host.ContainerIDFile ?? '',
    volumesFrom: host.VolumesFrom ?? [],
    volumeDriver: host.VolumeDriver ?? '',
    links: host.Links ?? [],
    portBindings: parsePortBindings(host.PortBindings),
    publishAllPorts: host.PublishAllPorts ?? false,
    absent: listsThatStayNull.filter((name) => host[name] === undefined || host[name] === null),
  }
}

/** @throws `invalid` */
export function parseUpdate(body: ContainerUpdateRequest): UpdateRequest {
  return {
    limits: {
      ...parseLimits(body),
      // Without a word it stays; 0 and below lift it.
      pidsLimit: body.PidsLimit,
    },
    restartPolicy: body.RestartPolicy?.Name ? parseRestartPolicy(body.RestartPolicy) : undefined,
  }
}

function parseLimits(host: ContainerUpdateRequest) {
  return {
    memoryBytes: host.Memory ?? 0,
    memoryReservationBytes: host.MemoryReservation ?? 0,
    memorySwapBytes: host.MemorySwap ?? 0,
    cpuShares: host.CpuShares ?? 0,
    cpuQuotaMicros: host.CpuQuota ?? 0,
    cpuPeriodMicros: host.CpuPeriod ?? 0,
    nanoCpus: host.NanoCpus ?? 0,
    cpusetCpus: host.CpusetCpus ?? '',
    cpusetMems: host.CpusetMems ?? '',
    blkioWeight: host.BlkioWeight ?? 0,
  }
}

function parseProcessHalf(host: HostConfigRequest) {
  return {
    privileged: host.Privileged ?? false,
    readonlyRootfs: host.ReadonlyRootfs ?? false,
    capAdd: host.CapAdd ?? [],
    capDrop: host.CapDrop ?? [],
    groupAdd: host.GroupAdd ?? [],
    securityOpt: host.SecurityOpt ?? [],
    maskedPaths: host.MaskedPaths,
    readonlyPaths: host.ReadonlyPaths,
    ipcMode: host.IpcMode ?? '',
    pidMode: host.PidMode ?? '',
    utsMode: host.UTSMode ?? '',
    cgroupnsMode: host.CgroupnsMode ?? '',
    usernsMode: host.UsernsMode ?? '',
    cgroupParent: host.CgroupParent ?? '',
    sysctls: host.Sysctls ?? {},
    init: host.Init ?? undefined,
  }
}

function parseResources(host: HostConfigRequest) {
  const { MemorySwappiness: swappiness } = host
  return {
    ...parseLimits(host),
    shmSizeBytes: host.ShmSize ?? 0,
    // The docker CLI says -1 for "not asked for".
    memorySwappiness: swappiness === -1 ? undefined : swappiness,
    oomKillDisable: host.OomKillDisable ?? false,
    oomScoreAdj: host.OomScoreAdj ?? 0,
    // 0 and below are "unlimited", which is what not asking gives.
    pidsLimit: (host.PidsLimit ?? 0) > 0 ? host.PidsLimit : undefined,
    ulimits: (host.Ulimits ?? []).map(({ Name = '', Soft = 0, Hard = 0 }) => ({ name: Name, soft: Soft, hard: Hard })),
    devices: (host.Devices ?? []).map(({ PathOnHost = '', PathInContainer, CgroupPermissions }) => ({
      pathOnHost: PathOnHost,
      pathInContainer: PathInContainer || PathOnHost,
      permissions: CgroupPermissions || 'rwm',
    })),
    deviceCgroupRules: host.DeviceCgroupRules ?? [],
    blkioLimits: [
      ...parseThrottles('readBps', host.BlkioDeviceReadBps),
      ...parseThrottles('writeBps', host.BlkioDeviceWriteBps),
      ...parseThrottles('readIops', host.BlkioDeviceReadIOps),
      ...parseThrottles('writeIops', host.BlkioDeviceWriteIOps),
    ],
    deviceRequests: (host.DeviceRequests ?? []).map(({ Driver, Count, DeviceIDs, Capabilities, Options }) => ({
      driver: Driver ?? '',
      count: Count ?? 0,
      deviceIds: DeviceIDs ?? [],
      capabilities: (Capabilities ?? []).map((all) => all ?? []),
      options: Options ?? {},
    })),
  }
}

function parseThrottles(
  kind: BlkioLimit['kind'],
  devices: HostConfigRequest['BlkioDeviceReadBps'],
): readonly BlkioLimit[] {
  return (devices ?? []).map(({ Path = '', Rate = 0 }) => ({ kind, path: Path, rate: Rate }))
}

function parseRestartPolicy(policy: HostConfigRequest['RestartPolicy']): RestartPolicy {
  const asked = policy?.Name || 'no'
  const names = ['no', 'always', 'on-failure', 'unless-stopped'] as const
  const name = names.find((one) => one === asked)
  if (!name) {
    throw invalid(
      `invalid restart policy: unknown policy '${asked}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    )
  }
  return { name, maximumRetryCount: policy?.MaximumRetryCount ?? 0 }
}

/** What would silently not be done is refused, each field by its name.   @throws `not-implemented` */
function refuseWhatIsMissing(host: HostConfigRequest): void {
  const asked: Readonly<Record<string, boolean>> = {
    BlkioWeightDevice: (host.BlkioWeightDevice ?? []).length > 0,
    CpuRealtimePeriod: Boolean(host.CpuRealtimePeriod),
    CpuRealtimeRuntime: Boolean(host.CpuRealtimeRuntime),
    Cgroup: Boolean(host.Cgroup),
  }
  const missing = Object.keys(asked).find((field) => asked[field])
  if (missing) throw notImplemented(`HostConfig.${missing} is not supported yet; create the container without it`)
}
