import { invalid } from '#base/errors.ts'
import { type FlagValues, integer, list, parsed, text, toggle } from '../parsing/flag.ts'
import { checkDeviceRule, parseDevice, parseThrottleBytes, parseThrottleCount, parseWeightDevice } from './device.ts'
import { checkAddress, toExtraHost } from './hosts.ts'
import { checkEnv, checkLabel } from './key-value.ts'
import { checkMount } from './mount.ts'
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

function toStream(value: string): string {
  const stream = value.toLowerCase()
  if (['stdin', 'stdout', 'stderr'].includes(stream)) return stream
  throw invalid('valid streams are STDIN, STDOUT and STDERR')
}

/** Everything that `create` and `run` know of a container; texts are what --help prints. */
export const containerFlags = {
  addHost: list('add-host', 'Line for /etc/hosts, as host:ip', { check: toExtraHost }),
  annotation: list('annotation', 'Annotation handed to the OCI runtime, as key=value', {
    word: 'map',
  }),
  attach: list('attach', 'Stream to connect: stdin, stdout or stderr', { short: 'a', check: toStream }),
  blkioWeight: integer('blkio-weight', 'Share of disk time, 10 to 1000; 0 leaves it alone', {
    word: 'uint16',
    min: 0,
    max: 65535,
  }),
  blkioWeightDevice: many(
    'blkio-weight-device',
    "Share of one disk's time, as device:weight",
    'list',
    parseWeightDevice,
  ),
  capAdd: list('cap-add', 'Capability to give'),
  capDrop: list('cap-drop', 'Capability to take away'),
  cgroupParent: text('cgroup-parent', "Cgroup in which the container's own is made"),
  cgroupNamespace: text('cgroupns', "Cgroup namespace: host or private; empty for the engine's choice"),
  cidFile: text('cidfile', 'File that gets the id of the container'),
  cpuPeriod: integer('cpu-period', 'Length of a scheduling period, in microseconds'),
  cpuQuota: integer('cpu-quota', 'Processor time in a period, in microseconds'),
  cpuRtPeriod: integer('cpu-rt-period', 'Length of a real-time period, in microseconds'),
  cpuRtRuntime: integer('cpu-rt-runtime', 'Real-time processor time in a period, in microseconds'),
  cpuShares: integer('cpu-shares', 'Share of processor time beside others', { short: 'c' }),
  cpus: parsed('cpus', 'Processors at most, also parts of one', 'decimal', parseCpus),
  cpusetCpus: text('cpuset-cpus', 'Processors to run on, such as 0-3 or 0,1'),
  cpusetMems: text('cpuset-mems', 'Memory nodes to use, such as 0-3 or 0,1'),
  device: many('device', 'Device of the host, as path[:path inside][:rwm]', 'list', parseDevice),
  deviceCgroupRule: list('device-cgroup-rule', "Rule for devices, such as 'c 1:3 rw'", {
    check: checkDeviceRule,
  }),
  deviceReadBps: many('device-read-bps', 'Bytes a second to read at most, as device:rate', 'list', parseThrottleBytes),
  deviceReadIops: many('device-read-iops', 'Reads a second at most, as device:count', 'list', parseThrottleCount),
  deviceWriteBps: many(
    'device-write-bps',
    'Bytes a second to write at most, as device:rate',
    'list',
    parseThrottleBytes,
  ),
  deviceWriteIops: many('device-write-iops', 'Writes a second at most, as device:count', 'list', parseThrottleCount),
  disableContentTrust: toggle('disable-content-trust', 'Accepted for compatibility; signatures are not checked', {
    initial: true,
  }),
  dns: list('dns', 'Name server to ask', { check: checkAddress }),
  dnsOption: list('dns-option', 'Option of the resolver, such as ndots:1'),
  dnsSearch: list('dns-search', 'Domain that short names are looked up in'),
  domainName: text('domainname', 'NIS domain of the container'),
  entrypoint: text('entrypoint', "Program to run instead of the image's"),
  env: list('env', 'Variable of the environment; a bare name takes our value', { short: 'e', check: checkEnv }),
  envFile: list('env-file', 'File with a variable on every line'),
  expose: list('expose', 'Port, or range of ports, that the container serves'),
  groupAdd: list('group-add', 'Further group of the process'),
  healthCmd: text('health-cmd', 'Command that tells whether the container is healthy'),
  healthInterval: duration('health-interval', 'Pause between two probes'),
  healthRetries: integer('health-retries', 'Failed probes in a row that mean unhealthy'),
  healthStartInterval: duration('health-start-interval', 'Pause between two probes while the container starts'),
  healthStartPeriod: duration('health-start-period', 'Time to start in which failed probes do not count'),
  healthTimeout: duration('health-timeout', 'Time after which a probe has failed'),
  hostname: text('hostname', 'Host name inside', { short: 'h' }),
  init: toggle('init', 'Put a small init in front that passes signals on and reaps'),
  interactive: toggle('interactive', 'Keep standard input open', { short: 'i' }),
  ip: text('ip', 'IPv4 address in the network'),
  ip6: text('ip6', 'IPv6 address in the network'),
  ipc: text('ipc', 'IPC namespace: private, shareable, host or container:NAME'),
  isolation: text('isolation', 'Accepted for compatibility; only default is known'),
  label: list('label', 'Label, as key=value', { short: 'l', check: checkLabel }),
  labelFile: list('label-file', 'File with a label on every line'),
  link: list('link', 'Container to reach by name, as name[:alias]'),
  linkLocalIp: list('link-local-ip', 'Link-local address in the network'),
  logDriver: text('log-driver', 'What keeps the output'),
  logOpt: list('log-opt', 'Option of the log driver, as key=value'),
  macAddress: text('mac-address', 'MAC address in the network'),
  memory: bytes('memory', 'Memory at most', 'm'),
  memoryReservation: bytes('memory-reservation', 'Memory to come back to when the host runs short'),
  memorySwap: parsed('memory-swap', 'Memory and swap together at most; -1 for no limit', 'bytes', parseSwapSize),
  memorySwappiness: integer('memory-swappiness', 'Readiness to swap, 0 to 100'),
  mount: list('mount', 'Mount, as type=bind,source=…,target=…', { word: 'mount', check: checkMount }),
  name: text('name', 'Name of the container'),
  network: many('network', 'Network to join: a name, none, host or container:NAME', 'network', parseNetwork),
  net: {
    ...many('net', 'Network to join: a name, none, host or container:NAME', 'network', parseNetwork),
    hidden: true,
  },
  networkAlias: list('network-alias', 'Further name inside the network'),
  noHealthcheck: toggle('no-healthcheck', 'Do not probe, whatever the image says'),
  oomKillDisable: toggle('oom-kill-disable', 'Freeze instead of killing when memory is used up'),
  oomScoreAdj: integer('oom-score-adj', 'Readiness to be killed when memory is short, -1000 to 1000'),
  pid: text('pid', 'PID namespace: host or container:NAME'),
  pidsLimit: integer('pids-limit', 'Processes at most; -1 for no limit'),
  platform: text('platform', 'Platform of the image, as os[/arch[/variant]]'),
  privileged: toggle('privileged', 'Give all rights over the host'),
  publish: list('publish', 'Port to serve on the host, as [[ip:]port:]port[/proto]', { short: 'p' }),
  publishAll: toggle('publish-all', 'Serve all exposed ports on ports that are free', { short: 'P' }),
  pull: text('pull', 'When to pull the image: always, missing or never', { initial: 'missing' }),
  quiet: toggle('quiet', 'Show no progress of a pull', { short: 'q' }),
  readOnly: toggle('read-only', 'Forbid writing to the root filesystem'),
  restart: text('restart', 'What to do after its end: no, on-failure[:N], always, unless-stopped'),
  rm: toggle('rm', 'Remove the container, with its anonymous volumes, at its end'),
  runtime: text('runtime', 'OCI runtime that makes it'),
  securityOpt: list('security-opt', 'Setting of security, such as seccomp=FILE or no-new-privileges'),
  shmSize: bytes('shm-size', 'Size of /dev/shm'),
  stopSignal: text('stop-signal', 'Signal that asks it to end'),
  stopTimeout: integer('stop-timeout', 'Seconds from asking to killing'),
  storageOpt: list('storage-opt', 'Option of the storage, such as size=1G'),
  sysctl: list('sysctl', 'Kernel setting of its namespaces, as name=value', { word: 'map', check: checkSysctl }),
  tmpfs: list('tmpfs', 'Directory in memory, as path[:options]'),
  tty: toggle('tty', 'Give it a terminal', { short: 't' }),
  ulimit: many('ulimit', 'Resource limit, as name=soft[:hard]', 'ulimit', parseUlimit),
  user: text('user', 'User and group to run as, as name|uid[:group|gid]', { short: 'u' }),
  userns: text('userns', 'User namespace: host'),
  uts: text('uts', 'UTS namespace: host'),
  volume: list('volume', 'Volume or directory, as [source:]target[:options]', { short: 'v' }),
  volumeDriver: text('volume-driver', 'Driver of its volumes'),
  volumesFrom: list('volumes-from', 'Container whose volumes to mount too'),
  workdir: text('workdir', 'Directory to start in', { short: 'w' }),
} as const

export type ContainerFlags = FlagValues<typeof containerFlags>
