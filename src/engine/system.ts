import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs'
import { availableParallelism, hostname, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { buildFacts } from '#base/build-facts.ts'
import { systemClock } from '#base/clock.ts'
import { Filters } from '#base/filters.ts'
import type { CurrentDefaults } from '#containers/create-defaults.ts'
import { logDrivers } from '#containers/logs/log-options.ts'
import type { Runtimes } from '#containers/runtimes.ts'
import type { ContainerService } from '#containers/service.ts'
import { findAppArmorParser } from '#containers/spec/apparmor.ts'
import type { CgroupDriver } from '#containers/spec/cgroups.ts'
import type { EventBus } from '#events/bus.ts'
import { withoutUser } from '#images/registry/proxies.ts'
import { hubMirrors } from '#images/registry/registry-config.ts'
import type { Snapshotter } from '#images/snapshots/snapshotter.ts'
import type { ImageService } from '#images/store/service.ts'
import type { TransferSettings } from '#images/transfer/transfer-settings.ts'
import type { CgroupLayout } from '#runtime/cgroup.ts'
import type { VolumeService } from '#volumes/service.ts'
import type { DataRoot } from './data-root.ts'
import { diskUsage } from './disk-usage.ts'
import type { System } from './engine.ts'
import type { SystemInfo, SystemVersion } from './info.ts'
import type { CurrentConfig } from './reload.ts'
import { isRemapped } from './userns-remap.ts'

export interface SystemPorts {
  readonly config: CurrentConfig
  readonly dataRoot: DataRoot
  readonly containers: ContainerService
  readonly images: ImageService
  readonly events: EventBus
  readonly snapshots: Snapshotter
  readonly volumes: VolumeService
  readonly cgroups: CgroupLayout
  readonly runtimes: Runtimes
  readonly cgroupDriver: CgroupDriver
  readonly transfers: TransferSettings
  readonly defaults: CurrentDefaults
  /** Containers get labels. */
  readonly selinux: boolean
}

/** Names of filesystems by their number. @see statfs(2) */
const filesystems: Readonly<Record<number, string>> = {
  61267: 'extfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  16914836: 'tmpfs',
  2035054128: 'overlayfs',
  801189825: 'zfs',
}

/** Those whose directories always tell the types of their files; of xfs it depends on how it was made. */
const typedFilesystems = ['extfs', 'btrfs', 'tmpfs', 'zfs']

/** With which options overlays are mounted (libberth's overlay.c): a container's own layer is all that it has changed. */
const overlayFacts = [
  ['Using metacopy', 'false'],
  ['Native Overlay Diff', 'true'],
  ['userxattr', 'false'],
] as const

function storageOf({ driver }: Snapshotter, { path }: DataRoot) {
  const backingFilesystem = filesystems[statfsSync(path).type] ?? 'unknown'
  const isTyped = typedFilesystems.includes(backingFilesystem)
  const facts = [...(isTyped ? [['Supports d_type', 'true'] as const] : []), ...overlayFacts]
  return { storageDriver: driver, backingFilesystem, storageFacts: driver === 'overlay2' ? facts : [] }
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

/** Facts about this engine and its host. */
export function openSystem(ports: SystemPorts): System {
  return {
    version: systemVersion,
    info: async () => systemInfo(ports),
    diskUsage: (kinds) => diskUsage(ports, kinds),
    reload: (config) => ports.config.reload(config, { ...ports, engineId: ports.dataRoot.id }),
  }
}

function systemVersion(): SystemVersion {
  return {
    ...buildFacts,
    os: 'linux',
    architecture: architectures[process.arch] ?? process.arch,
    kernelVersion: release(),
    runtimeVersion: buildFacts.version,
    nodeVersion: process.versions.node,
  }
}

function systemInfo({
  config: { value: config },
  dataRoot,
  containers,
  images,
  events,
  snapshots,
  cgroups,
  runtimes,
  cgroupDriver,
  transfers: { registries },
  selinux,
}: SystemPorts): SystemInfo {
  const statuses = containers.all().map(({ state }) => state.status)
  const count = (...wanted: string[]) => statuses.filter((status) => wanted.includes(status)).length
  const running = count('running', 'restarting')
  const paused = count('paused')
  return {
    ...systemVersion(),
    id: dataRoot.id,
    name: hostname(),
    containers: { running, paused, stopped: statuses.length - running - paused },
    images: images.list(new Filters(), { all: true }).length,
    ...storageOf(snapshots, dataRoot),
    loggingDriver: config.logDriver,
    loggingDrivers: logDrivers,
    cgroupDriver,
    cgroupVersion: cgroups.version === 2 ? '2' : '1',
    ...operatingSystem(),
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    dataRoot: dataRoot.path,
    securityOptions: [
      ...(findAppArmorParser() === undefined ? [] : ['name=apparmor']),
      `name=seccomp,profile=${config.seccompProfile || 'builtin'}`,
      ...(selinux ? ['name=selinux'] : []),
      ...(isRemapped(config.usernsRemap) ? ['name=userns'] : []),
      'name=cgroupns',
    ],
    runtimes: runtimes.all(),
    defaultRuntime: runtimes.defaultName,
    warnings: [],
    debug: config.debug,
    labels: config.labels,
    cdiSpecDirs: config.cdiSpecDirs,
    insecureRegistries: registries.insecure,
    registryMirrors: hubMirrors(registries),
    httpProxy: withoutUser(registries.proxies.http),
    httpsProxy: withoutUser(registries.proxies.https),
    noProxy: registries.proxies.none,
    eventListeners: events.listeners,
    systemTime: systemClock.nowNanos(),
    supports: supportsOf(cgroups),
    firewall: 'nftables',
  }
}

function supportsOf({ controllers, hierarchies, version }: CgroupLayout): SystemInfo['supports'] {
  const has = (name: string) => controllers[name] !== undefined
  const memory = hierarchies.find(({ unified, controllers: served }) => !unified && served.includes('memory'))
  const hasFile = (name: string) => memory !== undefined && existsSync(join(memory.mount, name))
  return {
    memoryLimit: has('memory'),
    swapLimit: has('memory'),
    cpuShares: has('cpu'),
    cpuCfs: has('cpu'),
    cpuset: has('cpuset'),
    pidsLimit: has('pids'),
    oomKillDisable: has('memory') && version === 1,
    kernelMemory: hasFile('memory.kmem.limit_in_bytes'),
    kernelMemoryTcp: hasFile('memory.kmem.tcp.limit_in_bytes'),
    ipv4Forwarding: canForward(),
  }
}

function canForward(): boolean {
  const file = '/proc/sys/net/ipv4/ip_forward'
  if (readFileSync(file, 'utf8').trim() === '1') return true
  try {
    accessSync(file, constants.W_OK)
    return true
  } catch {
    // A host that shows its settings for reading only.
    return false
  }
}

/** @see os-release(5) */
function operatingSystem(): { operatingSystem: string; osVersion: string } {
  const fields = new Map(
    readOsRelease()
      .split('\n')
      .map((line) => line.split('=', 2))
      .map(([key = '', value = '']) => [key, value.replace(/^"|"$/g, '')]),
  )
  return { operatingSystem: fields.get('PRETTY_NAME') ?? 'Linux', osVersion: fields.get('VERSION_ID') ?? '' }
}

function readOsRelease(): string {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      // The next place; a host without either is just "Linux".
    }
  }
  return ''
}
