import { invalid, messageOf } from '#base/errors.ts'
import type { HostConfigRequest, PortBinding } from '#contract/types.gen.ts'
import { toCapabilities } from './capability.ts'
import type { Invocation, Surroundings } from './container-config.ts'
import type { ContainerFlags } from './container-flags.ts'
import { readOption, toMap } from './key-value.ts'
import { parseMount } from './mount.ts'
import { parseRestart } from './restart.ts'
import { parseTmpfs } from './volume.ts'

export interface Placed {
  readonly binds: readonly string[]
  readonly bindings: Readonly<Record<string, readonly PortBinding[]>>
  readonly networkMode: string
}

/** The host part of a create request.   @throws `invalid` */
export function toHostConfig(invocation: Invocation, around: Surroundings, placed: Placed): HostConfigRequest {
  const { flags, given } = invocation
  const restart = parseRestart(flags.restart)
  if (flags.rm && restart.Name !== 'no') throw invalid('conflicting options: cannot specify both --restart and --rm')
  const capabilities = toCapabilities(flags.capAdd, flags.capDrop)
  return omitEmpty({
    Binds: placed.binds,
    PortBindings: placed.bindings,
    NetworkMode: placed.networkMode,
    ...resourcesOf(flags),
    ...namespacesOf(flags),
    ...securityOf(flags, around),
    ...(given.has('init') && { Init: flags.init }),
    AutoRemove: flags.rm,
    CapAdd: capabilities.add,
    CapDrop: capabilities.drop,
    Dns: flags.dns,
    DnsOptions: flags.dnsOption,
    DnsSearch: flags.dnsSearch,
    ExtraHosts: flags.addHost,
    GroupAdd: flags.groupAdd,
    Links: flags.link,
    Annotations: toMap(flags.annotation),
    ContainerIDFile: flags.cidFile,
    Isolation: flags.isolation,
    LogConfig: toLogConfig(flags),
    Mounts: flags.mount.map((text) => parseMount(text, around.directory)),
    OomScoreAdj: flags.oomScoreAdj,
    Privileged: flags.privileged,
    PublishAllPorts: flags.publishAll,
    ReadonlyRootfs: flags.readOnly,
    RestartPolicy: restart,
    Runtime: flags.runtime,
    ShmSize: flags.shmSize,
    StorageOpt: toMap(flags.storageOpt),
    Sysctls: toMap(flags.sysctl),
    Tmpfs: parseTmpfs(flags.tmpfs),
    VolumeDriver: flags.volumeDriver,
    VolumesFrom: flags.volumesFrom,
  })
}

function resourcesOf(flags: ContainerFlags): Record<string, unknown> {
  const swappiness = flags.memorySwappiness
  if (swappiness !== undefined && swappiness !== -1 && (swappiness < 0 || swappiness > 100)) {
    throw invalid(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`)
  }
  return {
    Memory: flags.memory,
    MemoryReservation: flags.memoryReservation,
    MemorySwap: flags.memorySwap,
    MemorySwappiness: swappiness === -1 ? undefined : swappiness,
    OomKillDisable: flags.oomKillDisable,
    PidsLimit: flags.pidsLimit,
    NanoCpus: flags.cpus,
    CpuShares: flags.cpuShares,
    CpuPeriod: flags.cpuPeriod,
    CpuQuota: flags.cpuQuota,
    CpuRealtimePeriod: flags.cpuRtPeriod,
    CpuRealtimeRuntime: flags.cpuRtRuntime,
    CpusetCpus: flags.cpusetCpus,
    CpusetMems: flags.cpusetMems,
    CgroupParent: flags.cgroupParent,
    BlkioWeight: flags.blkioWeight,
    BlkioWeightDevice: flags.blkioWeightDevice,
    BlkioDeviceReadBps: flags.deviceReadBps,
    BlkioDeviceReadIOps: flags.deviceReadIops,
    BlkioDeviceWriteBps: flags.deviceWriteBps,
    BlkioDeviceWriteIOps: flags.deviceWriteIops,
    Devices: flags.device,
    DeviceCgroupRules: flags.deviceCgroupRule,
    Ulimits: flags.ulimit,
  }
}

function namespacesOf(flags: ContainerFlags): Record<string, unknown> {
  if (flags.pid !== '' && flags.pid !== 'host' && !/^container:./.test(flags.pid))
    throw invalid('--pid: invalid PID mode')
  if (flags.uts !== '' && flags.uts !== 'host') throw invalid('--uts: invalid UTS mode')
  if (flags.userns !== '' && flags.userns !== 'host') throw invalid('--userns: invalid USER mode')
  if (!['', 'host', 'private'].includes(flags.cgroupNamespace)) throw invalid('--cgroupns: invalid CGROUP mode')
  return {
    PidMode: flags.pid,
    UTSMode: flags.uts,
    UsernsMode: flags.userns,
    IpcMode: flags.ipc,
    CgroupnsMode: flags.cgroupNamespace,
  }
}

/** A seccomp profile is named by its file here and sent as its text, which must be JSON.   @throws `invalid` */
function securityOf(flags: ContainerFlags, { read }: Surroundings): Record<string, unknown> {
  const options: string[] = []
  let masked: string[] | undefined
  for (const option of flags.securityOpt) {
    const separator = /[=:]/.exec(option)?.index ?? -1
    const name = separator < 0 ? option : option.slice(0, separator)
    const value = separator < 0 ? '' : option.slice(separator + 1)
    if (separator < 0 && name !== 'no-new-privileges') throw invalid(`Invalid --security-opt: "${option}"`)
    if (option === 'systempaths=unconfined') masked = []
    else if (name === 'seccomp' && !['unconfined', 'builtin'].includes(value))
      options.push(`seccomp=${readProfile(value, read)}`)
    else options.push(option)
  }
  return { SecurityOpt: options, ...(masked && { keptEmpty: { MaskedPaths: masked, ReadonlyPaths: masked } }) }
}

function readProfile(path: string, read: Surroundings['read']): string {
  let text: string
  try {
    text = readOption(path, read)
  } catch (error) {
    throw invalid(`opening seccomp profile (${path}) failed: ${messageOf(error)}`, { cause: error })
  }
  try {
    return JSON.stringify(JSON.parse(text))
  } catch (error) {
    throw invalid(`compacting json for seccomp profile (${path}) failed: ${String(error)}`, { cause: error })
  }
}

function toLogConfig({ logDriver, logOpt }: ContainerFlags): Record<string, unknown> {
  if (logDriver === 'none' && logOpt.length > 0) throw invalid(`invalid logging opts for driver none`)
  return omitEmpty({ Type: logDriver, Config: toMap(logOpt) })
}

/** Without what says nothing: the engine has the defaults. `keptEmpty` holds fields where empty means something. */
function omitEmpty(fields: Record<string, unknown>): Record<string, unknown> {
  const { keptEmpty, ...rest } = fields
  const entries = Object.entries(rest).filter(([, value]) => !isEmpty(value))
  return { ...Object.fromEntries(entries), ...(keptEmpty as Record<string, unknown> | undefined) }
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '' || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
