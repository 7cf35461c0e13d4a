/** config.json as Docker writes it, and the least that runs: what the same bundle costs and does under several runtimes. */

import { resolveSeccomp } from '#containers/spec/seccomp.ts'
import { defaultProfile } from '#containers/spec/seccomp-profile.ts'
import type { MountSpec } from '#oci/runtime-spec.ts'

export const dockerCapabilities = [
  ...['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FSETID', 'CAP_FOWNER', 'CAP_MKNOD', 'CAP_NET_RAW', 'CAP_SETGID'],
  ...[
    'CAP_SETUID',
    'CAP_SETFCAP',
    'CAP_SETPCAP',
    'CAP_NET_BIND_SERVICE',
    'CAP_SYS_CHROOT',
    'CAP_KILL',
    'CAP_AUDIT_WRITE',
  ],
]

const hardened = ['nosuid', 'noexec', 'nodev']

export const dockerMounts: readonly MountSpec[] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: hardened },
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
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...hardened, 'ro'] },
  { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...hardened, 'ro'] },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: hardened },
  { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...hardened, 'mode=1777', 'size=65536k'] },
]

const devices: readonly (readonly [number, number])[] = [
  [1, 3],
  [1, 5],
  [1, 7],
  [1, 8],
  [1, 9],
  [5, 0],
  [5, 2],
]

export interface BundleOptions {
  /** Absolute. */
  readonly rootfs: string
  readonly args: readonly string[]
  readonly cgroup: string
}

/** Six namespaces, ten mounts, fourteen capabilities, a filter for three machines, masks, sysctls, limits. */
export function dockerConfig({ rootfs, args, cgroup }: BundleOptions) {
  return {
    ociVersion: '1.0.2',
    hostname: 'box',
    root: { path: rootfs },
    process: {
      user: { uid: 0, gid: 0, additionalGids: [10] },
      args,
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'],
      cwd: '/',
      capabilities: { bounding: dockerCapabilities, effective: dockerCapabilities, permitted: dockerCapabilities },
    },
    mounts: [
      ...dockerMounts,
      ...['hosts', 'hostname', 'resolv.conf'].map((name) => ({
        destination: `/etc/${name}`,
        type: 'bind',
        source: '/etc/hostname',
        options: ['rbind', 'rprivate'],
      })),
    ],
    linux: {
      namespaces: ['mount', 'pid', 'uts', 'ipc', 'cgroup', 'network'].map((type) => ({ type })),
      cgroupsPath: cgroup,
      sysctl: { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' },
      resources: {
        memory: { limit: 64 << 20 },
        cpu: { shares: 512, quota: 50_000, period: 100_000 },
        pids: { limit: 50 },
        devices: [
          { allow: false, access: 'rwm' },
          ...devices.map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
        ],
      },
      seccomp: resolveSeccomp(defaultProfile(), dockerCapabilities),
      maskedPaths: ['acpi', 'interrupts', 'kcore', 'keys', 'timer_list', 'scsi']
        .map((name) => `/proc/${name}`)
        .concat('/sys/firmware'),
      readonlyPaths: ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((name) => `/proc/${name}`),
    },
  }
}

/** Two namespaces and /proc. */
export function minimalConfig({ rootfs, args }: BundleOptions) {
  return {
    ociVersion: '1.0.2',
    root: { path: rootfs },
    process: { user: { uid: 0, gid: 0 }, args, env: ['PATH=/bin'], cwd: '/' },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
    linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }] },
  }
}
