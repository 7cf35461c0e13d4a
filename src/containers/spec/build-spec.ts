import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import type { NamespaceType, RuntimeSpec } from '#oci/runtime-spec.ts'
import type { Container, HostSettings } from '../container.ts'
import { type CgroupDriver, cgroupsPathOf } from './cgroups.ts'
import { devicesOf } from './devices.ts'
import type { IdMaps } from './id-maps.ts'
import { initMount, runsUnderInit, underInit } from './init-program.ts'
import { type EtcFiles, type MountSources, mountsOf } from './mounts.ts'
import { initProcess, seccompOf } from './process.ts'
import { resourcesOf } from './resources.ts'
import { parseSecurityOptions } from './security-options.ts'
import type { ResolvedUser } from './user.ts'

const ociVersion = '1.2.0'

/** Files of /proc and /sys that tell about, or act on, the host; as Docker masks them. */
export const maskedPaths =
  `/proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug /proc/scsi
/proc/timer_list /proc/timer_stats /sys/devices/virtual/powercap /sys/firmware`.split(/\s+/)

export const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

const sharedPropagation = ['shared', 'rshared']
const slavePropagation = ['slave', 'rslave']

export interface SpecInput {
  readonly user: ResolvedUser
  readonly etc: EtcFiles
  readonly rootfsPath: string
  /** What containers that ask for one have as process 1. */
  readonly initProgram: string
  /** Of `AppArmor.of`. */
  readonly appArmorProfile: string | undefined
  readonly cgroupDriver: CgroupDriver
  /** Namespaces of other containers that this one lives in, by their paths. */
  readonly joined: Partial<Readonly<Record<NamespaceType, string>>>
  /** Undefined: the host's users. */
  readonly idMaps: IdMaps | undefined
  readonly sources: Omit<MountSources, 'idMapped'>
}

/** config.json of the container.   @throws `invalid` in Docker's words, for a device that is not there */
export function buildSpec(container: Container, input: SpecInput): RuntimeSpec {
  const { config, host, selinux } = container
  const { etc, rootfsPath, initProgram, idMaps, joined } = input
  const devices = devicesOf(host)
  const process = initProcess(container, input.user, input.appArmorProfile)
  const seccomp = seccompOf(host)
  const withInit = runsUnderInit(host)
  return {
    ociVersion,
    ...(host.utsMode !== 'host' && { hostname: config.hostname }),
    ...(host.utsMode !== 'host' && config.domainname !== '' && { domainname: config.domainname }),
    process: withInit ? underInit(process) : process,
    root: { path: rootfsPath, readonly: host.readonlyRootfs },
    mounts: [
      ...mountsOf(container, etc, { ...input.sources, idMapped: idMaps !== undefined }),
      ...(withInit ? [initMount(initProgram)] : []),
    ].map((mount) =>
      mount.type === 'cgroup' && isCgroupWritable(host)
        ? { ...mount, options: (mount.options ?? []).map((option) => (option === 'ro' ? 'rw' : option)) }
        : mount,
    ),
    annotations: host.annotations,
    linux: {
      namespaces: [...namespacesOf(host), ...(idMaps ? (['user'] as const) : [])].map((type) =>
        joined[type] === undefined ? { type } : { type, path: joined[type] },
      ),
      ...(idMaps && { uidMappings: idMaps.uids, gidMappings: idMaps.gids }),
      devices: devices.nodes,
      cgroupsPath: cgroupsPathOf(container, input.cgroupDriver),
      resources: resourcesOf(host, devices),
      rootfsPropagation: rootPropagation(container),
      maskedPaths: host.privileged ? [] : (host.maskedPaths ?? maskedPaths).filter((path) => existsSync(path)),
      readonlyPaths: host.privileged ? [] : (host.readonlyPaths ?? readonlyPaths).filter((path) => existsSync(path)),
      sysctl: sysctlsOf(host, idMaps),
      ...(seccomp && { seccomp }),
      ...(selinux && selinux.mount !== '' && { mountLabel: selinux.mount }),
    },
  }
}

/** The host name as the container is to see it. */
export function hostnameOf(id: string, asked: string, host: Pick<HostSettings, 'networkMode' | 'utsMode'>): string {
  if (asked !== '') return asked
  return host.networkMode === 'host' || host.utsMode === 'host' ? hostname() : id.slice(0, 12)
}

function namespacesOf(host: HostSettings): NamespaceType[] {
  const shared: Partial<Record<NamespaceType, boolean>> = {
    pid: host.pidMode === 'host',
    ipc: host.ipcMode === 'host',
    uts: host.utsMode === 'host',
    network: host.networkMode === 'host',
    cgroup: host.cgroupnsMode === 'host',
  }
  const all: NamespaceType[] = ['mount', 'pid', 'ipc', 'uts', 'network', 'cgroup']
  return all.filter((type) => shared[type] !== true)
}

function isCgroupWritable(host: HostSettings): boolean {
  return parseSecurityOptions(host.securityOpt).writableCgroups
}

/** Binds that are to see later mounts of the host need a root that lets them through. */
function rootPropagation({ mounts }: Pick<Container, 'mounts'>): string {
  if (mounts.some(({ propagation }) => sharedPropagation.includes(propagation))) return 'shared'
  return mounts.some(({ propagation }) => slavePropagation.includes(propagation)) ? 'rslave' : 'rprivate'
}

/** Docker's two: ports below 1024 and ping need no capability inside a network namespace of one's own. */
function sysctlsOf({ networkMode, sysctls }: HostSettings, idMaps: IdMaps | undefined): Record<string, string> {
  if (networkMode === 'host' || networkMode.startsWith('container:')) return { ...sysctls }
  return {
    'net.ipv4.ip_unprivileged_port_start': '0',
    'net.ipv4.ping_group_range': `0 ${lastGroup(idMaps)}`,
    ...sysctls,
  }
}

/** The kernel takes groups that exist in the container's user namespace only. */
function lastGroup(idMaps: IdMaps | undefined): number {
  return idMaps === undefined ? 2_147_483_647 : idMaps.gids.reduce((sum, { size }) => sum + size, 0) - 1
}
