import { type FlagValues, integer, list, parsed, text, toggle } from '../parsing/flag.ts'
import { checkDeviceRule, parseDevice, parseThrottleBytes, parseThrottleCount, parseWeightDevice } from './device.ts'
import { checkEnv, checkLabel } from './key-value.ts'
import { parseNetwork } from './network.ts'
import { parseCpus, parseDurationNanos, parseUlimit } from './resources.ts'
import { parseSize, parseSwapSize } from './size.ts'
import { checkSysctl } from './sysctl.ts'

const bytes = (name: string, usage: string, short?: string) =>
  parsed(name, usage, 'bytes', parseSize, short === undefined ? {} : { short })
const duration = (name: string, usage: string) =>
  parsed(name, `${usage} (ms|s|m|h) (default 0s)`, 'duration', parseDurationNanos)
/** Every value goes through `parse` and is kept in order. */
const many = <T>(name: string, usage: string, word: string, parse: (value: string) => T) =>
  parsed<readonly T[]>(name, usage, word, (value, before) => [...(before ?? []), parse(value)])

/** Everything that `create` and `run` know of a container; texts are what --help prints. */
export const containerFlags = {
  addHost: list('add-host', 'Add a custom host-to-IP mapping (host:ip)'),
  annotation: list('annotation', 'Add an annotation to the container (passed through to the OCI runtime)', {
    word: 'map',
  }),
  attach: list('attach', 'Attach to STDIN, STDOUT or STDERR', { short: 'a' }),
  blkioWeight: integer('blkio-weight', 'Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)', {
    word: 'uint16',
    min: 0,
    max: 65535,
  }),
  blkioWeightDevice: many('blkio-weight-device', 'Block IO weight (relative device weight)', 'list', parseWeightDevice),
  capAdd: list('cap-add', 'Add Linux capabilities'),
  capDrop: list('cap-drop', 'Drop Linux capabilities'),
  cgroupParent: text('cgroup-parent', 'Optional parent cgroup for the container'),
  cgroupNamespace: text('cgroupns', 'Cgroup namespace to use (host|private); empty: as the daemon has it'),
  cidFile: text('cidfile', 'Write the container ID to the file'),
  cpuPeriod: integer('cpu-period', 'Limit CPU CFS (Completely Fair Scheduler) period'),
  cpuQuota: integer('cpu-quota', 'Limit CPU CFS (Completely Fair Scheduler) quota'),
  cpuRtPeriod: integer('cpu-rt-period', 'Limit CPU real-time period in microseconds'),
  cpuRtRuntime: integer('cpu-rt-runtime', 'Limit CPU real-time runtime in microseconds'),
  cpuShares: integer('cpu-shares', 'CPU shares (relative weight)', { short: 'c' }),
  cpus: parsed('cpus', 'Number of CPUs', 'decimal', parseCpus),
  cpusetCpus: text('cpuset-cpus', 'CPUs in which to allow execution (0-3, 0,1)'),
  cpusetMems: text('cpuset-mems', 'MEMs in which to allow execution (0-3, 0,1)'),
  device: many('device', 'Add a host device to the container', 'list', parseDevice),
  deviceCgroupRule: list('device-cgroup-rule', 'Add a rule to the cgroup allowed devices list', {
    check: checkDeviceRule,
  }),
  deviceReadBps: many(
    'device-read-bps',
    'Limit read rate (bytes per second) from a device',
    'list',
    parseThrottleBytes,
  ),
  deviceReadIops: many('device-read-iops', 'Limit read rate (IO per second) from a device', 'list', parseThrottleCount),
  deviceWriteBps: many(
    'device-write-bps',
    'Limit write rate (bytes per second) to a device',
    'list',
    parseThrottleBytes,
  ),
  deviceWriteIops: many(
    'device-write-iops',
    'Limit write rate (IO per second) to a device',
    'list',
    parseThrottleCount,
  ),
  disableContentTrust: toggle('disable-content-trust', 'Skip image verification', { initial: true }),
  dns: list('dns', 'Set custom DNS servers'),
  dnsOption: list('dns-option', 'Set DNS options'),
  dnsSearch: list('dns-search', 'Set custom DNS search domains'),
  domainName: text('domainname', 'Container NIS domain name'),
  entrypoint: text('entrypoint', 'Overwrite the default ENTRYPOINT of the image'),
  env: list('env', 'Set environment variables', { short: 'e', check: checkEnv }),
  envFile: list('env-file', 'Read in a file of environment variables'),
  expose: list('expose', 'Expose a port or a range of ports'),
  groupAdd: list('group-add', 'Add additional groups to join'),
  healthCmd: text('health-cmd', 'Command to run to check health'),
  healthInterval: duration('health-interval', 'Time between running the check'),
  healthRetries: integer('health-retries', 'Consecutive failures needed to report unhealthy'),
  healthStartInterval: duration('health-start-interval', 'Time between running the check during the start period'),
  healthStartPeriod: duration(
    'health-start-period',
    'Start period for the container to initialize before starting health-retries countdown',
  ),
  healthTimeout: duration('health-timeout', 'Maximum time to allow one check to run'),
  hostname: text('hostname', 'Container host name', { short: 'h' }),
  init: toggle('init', 'Run an init inside the container that forwards signals and reaps processes'),
  interactive: toggle('interactive', 'Keep STDIN open even if not attached', { short: 'i' }),
  ip: text('ip', 'IPv4 address (e.g., 172.30.100.104)'),
  ip6: text('ip6', 'IPv6 address (e.g., 2001:db8::33)'),
  ipc: text('ipc', 'IPC mode to use'),
  isolation: text('isolation', 'Container isolation technology'),
  label: list('label', 'Set meta data on a container', { short: 'l', check: checkLabel }),
  labelFile: list('label-file', 'Read in a line delimited file of labels'),
  link: list('link', 'Add link to another container'),
  linkLocalIp: list('link-local-ip', 'Container IPv4/IPv6 link-local addresses'),
  logDriver: text('log-driver', 'Logging driver for the container'),
  logOpt: list('log-opt', 'Log driver options'),
  macAddress: text('mac-address', 'Container MAC address (e.g., 92:d0:c6:0a:29:33)'),
  memory: bytes('memory', 'Memory limit', 'm'),
  memoryReservation: bytes('memory-reservation', 'Memory soft limit'),
  memorySwap: parsed(
    'memory-swap',
    "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
    'bytes',
    parseSwapSize,
  ),
  memorySwappiness: integer('memory-swappiness', 'Tune container memory swappiness (0 to 100) (default -1)'),
  mount: list('mount', 'Attach a filesystem mount to the container', { word: 'mount' }),
  name: text('name', 'Assign a name to the container'),
  network: many('network', 'Connect a container to a network', 'network', parseNetwork),
  net: { ...many('net', 'Connect a container to a network', 'network', parseNetwork), hidden: true },
  networkAlias: list('network-alias', 'Add network-scoped alias for the container'),
  noHealthcheck: toggle('no-healthcheck', 'Disable any container-specified HEALTHCHECK'),
  oomKillDisable: toggle('oom-kill-disable', 'Disable OOM Killer'),
  oomScoreAdj: integer('oom-score-adj', "Tune host's OOM preferences (-1000 to 1000)"),
  pid: text('pid', 'PID namespace to use'),
  pidsLimit: integer('pids-limit', 'Tune container pids limit (set -1 for unlimited)'),
  platform: text('platform', 'Set platform if server is multi-platform capable'),
  privileged: toggle('privileged', 'Give extended privileges to this container'),
  publish: list('publish', "Publish a container's port(s) to the host", { short: 'p' }),
  publishAll: toggle('publish-all', 'Publish all exposed ports to random ports', { short: 'P' }),
  pull: text('pull', 'Pull image before running ("always", "missing", "never")', { initial: 'missing' }),
  quiet: toggle('quiet', 'Suppress the pull output', { short: 'q' }),
  readOnly: toggle('read-only', "Mount the container's root filesystem as read only"),
  restart: text('restart', 'Restart policy to apply when a container exits (default "no")'),
  rm: toggle('rm', 'Automatically remove the container and its associated anonymous volumes when it exits'),
  runtime: text('runtime', 'Runtime to use for this container'),
  securityOpt: list('security-opt', 'Security Options'),
  shmSize: bytes('shm-size', 'Size of /dev/shm'),
  stopSignal: text('stop-signal', 'Signal to stop the container'),
  stopTimeout: integer('stop-timeout', 'Timeout (in seconds) to stop a container'),
  storageOpt: list('storage-opt', 'Storage driver options for the container'),
  sysctl: list('sysctl', 'Sysctl options', { word: 'map', check: checkSysctl }),
  tmpfs: list('tmpfs', 'Mount a tmpfs directory'),
  tty: toggle('tty', 'Allocate a pseudo-TTY', { short: 't' }),
  ulimit: many('ulimit', 'Ulimit options', 'ulimit', parseUlimit),
  user: text('user', 'Username or UID (format: <name|uid>[:<group|gid>])', { short: 'u' }),
  userns: text('userns', 'User namespace to use'),
  uts: text('uts', 'UTS namespace to use'),
  volume: list('volume', 'Bind mount a volume', { short: 'v' }),
  volumeDriver: text('volume-driver', 'Optional volume driver for the container'),
  volumesFrom: list('volumes-from', 'Mount volumes from the specified container(s)'),
  workdir: text('workdir', 'Working directory inside the container', { short: 'w' }),
} as const

export type ContainerFlags = FlagValues<typeof containerFlags>
