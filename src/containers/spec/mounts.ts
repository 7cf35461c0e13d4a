import type { MountSpec } from '#oci/runtime-spec.ts'
import type { Container, HostSettings, MountSetting } from '../container.ts'

/** The files that the engine writes for a container, on the host. */
export interface EtcFiles {
  readonly hostname: string
  readonly hosts: string
  readonly resolvConf: string
}

/** Stay writable with `--read-only`: without them nothing runs. */
const keptWritable = ['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue']

/** Docker's mounts of a container, parents before children, with the user's in place of defaults at the same path. */
export function mountsOf(
  { host }: Pick<Container, 'host'>,
  etc: EtcFiles,
  { idMapped }: { readonly idMapped: boolean },
): MountSpec[] {
  const own = [...host.mounts.map(toMount), ...etcMounts(host, etc, idMapped)]
  const taken = (path: string) => host.mounts.some(({ target }) => clean(target) === path)
  const etcNotTaken = own.filter((mount, index) => index < host.mounts.length || !taken(mount.destination))
  const isUnder = (path: string, parent: string) => path.startsWith(`${parent}/`)
  const defaults = defaultMounts(host)
    .filter(({ destination }) => !taken(destination))
    .filter(({ destination }) => !(taken('/dev') && isUnder(destination, '/dev')))
    .map((mount) => (host.readonlyRootfs && !keptWritable.includes(mount.destination) ? readOnly(mount) : mount))
  return [...defaults, ...etcNotTaken.sort((a, b) => depth(a.destination) - depth(b.destination))]
}

function defaultMounts(host: HostSettings): MountSpec[] {
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
  return [...mounts, ...ipcMounts(host)]
}

function ipcMounts(host: HostSettings): MountSpec[] {
  const options = ['nosuid', 'noexec', 'nodev']
  // In the host's IPC namespace this is a view of the host's queues.
  const queue: MountSpec = { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options }
  if (host.ipcMode === 'host') {
    const shared: MountSpec = {
      destination: '/dev/shm',
      type: 'bind',
      source: '/dev/shm',
      options: ['rbind', 'rprivate', ...options],
    }
    return [queue, shared]
  }
  if (host.ipcMode === 'none') return [queue]
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

function toMount(mount: MountSetting): MountSpec {
  return mount.type === 'bind' ? toBind(mount) : toTmpfs(mount)
}

function toBind({ source, target, readonly, propagation, nonRecursive }: MountSetting): MountSpec {
  const bind = nonRecursive ? 'bind' : 'rbind'
  // What comes along is as read-only as what was asked for, as in Docker since 25.
  const readOnly = nonRecursive ? 'ro' : 'rro'
  return {
    destination: clean(target),
    type: 'bind',
    source,
    options: [bind, propagation === '' ? 'rprivate' : propagation, readonly ? readOnly : 'rw'],
  }
}

function toTmpfs({ target, readonly, tmpfsSizeBytes, tmpfsMode, tmpfsOptions }: MountSetting): MountSpec {
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

/** Without `.`, doubled and trailing slashes; `..` never passes validation. */
export function clean(path: string): string {
  return `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`
}

function depth(path: string): number {
  return path.split('/').length
}
