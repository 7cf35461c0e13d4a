import type { MountSpec } from '#oci/runtime-spec.ts'
import { clean } from '../clean-path.ts'
import type { Container, HostSettings, MountPoint } from '../container.ts'

/** The files that the engine writes for a container, on the host. */
export interface EtcFiles {
  readonly hostname: string
  readonly hosts: string
  readonly resolvConf: string
}

/** What the host has for the mounts of a start. */
export interface MountSources {
  /** The container has ids of its own. */
  readonly idMapped: boolean
  /** Where the data of a volume is. */
  volume(point: MountPoint): string
  /** What makes up a mounted image, topmost first. */
  image(point: MountPoint): readonly string[]
  /** The mount namespace of the container whose IPC this one joins, by its path. */
  readonly ipcMounts?: string
}

/** Stay writable with `--read-only`: without them nothing runs. */
const keptWritable = ['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue']

/** Docker's mounts of a container, parents before children, with the user's in place of defaults at the same path. */
export function mountsOf(
  { host, mounts }: Pick<Container, 'host' | 'mounts'>,
  etc: EtcFiles,
  sources: MountSources,
): MountSpec[] {
  const own = [...mounts.map((point) => toMount(point, sources)), ...etcMounts(host, etc, sources.idMapped)]
  const taken = (path: string) => mounts.some(({ target }) => clean(target) === path)
  const etcNotTaken = own.filter((mount, index) => index < mounts.length || !taken(mount.destination))
  const isUnder = (path: string, parent: string) => path.startsWith(`${parent}/`)
  const defaults = defaultMounts(host, sources)
    .filter(({ destination }) => !taken(destination))
    .filter(({ destination }) => !(taken('/dev') && isUnder(destination, '/dev')))
    .map((mount) => (host.readonlyRootfs && !keptWritable.includes(mount.destination) ? readOnly(mount) : mount))
  return [...defaults, ...etcNotTaken.sort((a, b) => depth(a.destination) - depth(b.destination))]
}

function defaultMounts(host: HostSettings, sources: MountSources): MountSpec[] {
  const access = host.privileged ? 'rw' : 'ro'
  const mounts: MountSpec[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', access] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', access],
    },
  ]
  return [...mounts, ...ipcMounts(host, sources)]
}

function ipcMounts(host: HostSettings, { ipcMounts: joined }: MountSources): MountSpec[] {
  const options = ['nosuid', 'noexec', 'nodev']
  // In the host's IPC namespace this is a view of the host's queues.
  const queue: MountSpec = { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options }
  if (host.ipcMode === 'host') {
    const shared: MountSpec = {
      destination: '/dev/shm',
      type: 'bind',
      source: '/dev/shm',
      options: ['rbind', 'rprivate'],
    }
    return [queue, shared]
  }
  if (host.ipcMode === 'none') return [queue]
  if (joined !== undefined) {
    const shared: MountSpec = {
      destination: '/dev/shm',
      type: 'bind',
      source: '/dev/shm',
      options: ['bind', 'rprivate', ...options],
      berthNamespace: joined,
    }
    return [queue, shared]
  }
  const shm: MountSpec = {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: [...options, 'mode=1777', `size=${host.shmSizeBytes}`],
  }
  return [queue, shm]
}

/** With ids of its own the container's root owns them nevertheless. */
function etcMounts({ readonlyRootfs }: HostSettings, etc: EtcFiles, idMapped: boolean): MountSpec[] {
  const options = ['rbind', 'rprivate', readonlyRootfs ? 'ro' : 'rw', ...(idMapped ? ['idmap'] : [])]
  return [
    { destination: '/etc/resolv.conf', type: 'bind', source: etc.resolvConf, options },
    { destination: '/etc/hostname', type: 'bind', source: etc.hostname, options },
    { destination: '/etc/hosts', type: 'bind', source: etc.hosts, options },
  ]
}

function toMount(point: MountPoint, sources: MountSources): MountSpec {
  switch (point.type) {
    case 'bind':
      return toBind(point)
    case 'tmpfs':
      return toTmpfs(point)
    case 'volume':
      return toVolume(point, sources)
    case 'image':
      return toImage(point, sources)
  }
}

function toBind({ source, target, readonly, propagation, nonRecursive, readonlyBelow }: MountPoint): MountSpec {
  const bind = nonRecursive ? 'bind' : 'rbind'
  // What comes along is as read-only as what was asked for, as in Docker since 25.
  const readOnly = nonRecursive || readonlyBelow === 'never' ? 'ro' : 'rro'
  return {
    destination: clean(target),
    type: 'bind',
    source,
    options: [bind, propagation === '' ? 'rprivate' : propagation, readonly ? readOnly : 'rw'],
  }
}

/** Files of the local driver's own directories have the container's ids, whoever's those are on the host. */
function toVolume(point: MountPoint, { idMapped, volume }: MountSources): MountSpec {
  const mapped = idMapped && point.driver === 'local'
  return {
    destination: clean(point.target),
    type: 'bind',
    source: volume(point),
    options: ['rbind', 'rprivate', point.readonly ? 'rro' : 'rw', ...(mapped ? ['idmap'] : [])],
    ...(point.subpath !== '' && { berthSubpath: point.subpath }),
  }
}

function toImage(point: MountPoint, { image }: MountSources): MountSpec {
  const destination = clean(point.target)
  const [only = '', ...others] = image(point)
  if (others.length === 0) return { destination, type: 'bind', source: only, options: ['bind', 'rprivate', 'ro'] }
  const lower = [only, ...others].map((path) => path.replace(/[\\:,"]/g, '\\$&')).join(':')
  return { destination, type: 'overlay', source: 'overlay', options: ['ro', `lowerdir=${lower}`] }
}

function toTmpfs({ target, readonly, tmpfsSizeBytes, tmpfsMode, tmpfsOptions }: MountPoint): MountSpec {
  const asked = (tmpfsOptions ?? '').split(',').filter((option) => option !== '')
  return {
    destination: clean(target),
    type: 'tmpfs',
    source: 'tmpfs',
    options: [
      ...defaultsOfTmpfs.filter((option) => !asked.includes(option.replace(/^no/, ''))),
      ...asked,
      ...(tmpfsSizeBytes ? [`size=${tmpfsSizeBytes}`] : []),
      ...(tmpfsMode ? [`mode=${tmpfsMode.toString(8)}`] : []),
      ...(readonly ? ['ro'] : []),
    ],
  }
}

const defaultsOfTmpfs = ['noexec', 'nosuid', 'nodev']

function readOnly(mount: MountSpec): MountSpec {
  const options = (mount.options ?? []).filter((option) => option !== 'rw' && option !== 'ro')
  return { ...mount, options: [...options, 'ro'] }
}

function depth(path: string): number {
  return path.split('/').length
}
