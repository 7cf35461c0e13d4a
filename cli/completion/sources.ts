/** What may stand at a place of the command line: names that the engine knows, files, or one of a few words. */
export type Source = NameSource | 'file' | 'none' | readonly string[]
export type NameSource =
  | 'container'
  | 'running'
  | 'stopped'
  | 'paused'
  | 'image'
  | 'volume'
  | 'network'
  | 'context'
  | 'object'

/** By a command's first spelling: what its arguments are; the last one stands for all that follow. */
export const argumentSources: Readonly<Record<string, readonly Source[]>> = {
  'container attach': ['running'],
  'container commit': ['container', 'none'],
  'container cp': ['file'],
  'container create': ['image', 'none'],
  'container diff': ['container'],
  'container exec': ['running', 'none'],
  'container export': ['container'],
  'container inspect': ['container'],
  'container kill': ['running'],
  'container logs': ['container'],
  'container pause': ['running'],
  'container port': ['container', 'none'],
  'container rename': ['container', 'none'],
  'container restart': ['container'],
  'container rm': ['stopped'],
  'container run': ['image', 'none'],
  'container start': ['stopped'],
  'container stats': ['running'],
  'container stop': ['running'],
  'container top': ['running', 'none'],
  'container unpause': ['paused'],
  'container update': ['container'],
  'container wait': ['running'],
  'context export': ['context', 'file'],
  'context import': ['none', 'file'],
  'context inspect': ['context'],
  'context rm': ['context'],
  'context update': ['context'],
  'context use': ['context'],
  'image history': ['image'],
  'image import': ['file', 'none'],
  'image inspect': ['image'],
  'image ls': ['image'],
  'image push': ['image'],
  'image rm': ['image'],
  'image save': ['image'],
  'image tag': ['image'],
  'network connect': ['network', 'container'],
  'network disconnect': ['network', 'container'],
  'network inspect': ['network'],
  'network rm': ['network'],
  'volume inspect': ['volume'],
  'volume rm': ['volume'],
  inspect: ['object'],
}

const signals = [
  ...['ABRT', 'ALRM', 'CONT', 'HUP', 'INT', 'KILL', 'PIPE', 'QUIT', 'STOP', 'TERM', 'TSTP', 'TTIN', 'TTOU'],
  ...['USR1', 'USR2', 'WINCH'],
]
const capabilities = [
  ...['ALL', 'AUDIT_CONTROL', 'AUDIT_WRITE', 'BPF', 'CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID'],
  ...['IPC_LOCK', 'KILL', 'MKNOD', 'NET_ADMIN', 'NET_BIND_SERVICE', 'NET_RAW', 'PERFMON', 'SETFCAP', 'SETGID'],
  ...['SETPCAP', 'SETUID', 'SYSLOG', 'SYS_ADMIN', 'SYS_BOOT', 'SYS_CHROOT', 'SYS_MODULE', 'SYS_NICE', 'SYS_PTRACE'],
  ...['SYS_RAWIO', 'SYS_RESOURCE', 'SYS_TIME', 'WAKE_ALARM'],
]

/** By a flag's name, in every command; a flag that is not named here takes what nobody can list. */
export const flagSources: Readonly<Record<string, Source>> = {
  'cap-add': capabilities,
  'cap-drop': capabilities,
  cgroupns: ['host', 'private'],
  cidfile: 'file',
  config: 'file',
  context: 'context',
  'env-file': 'file',
  from: 'context',
  input: 'file',
  ipc: ['host', 'none', 'private', 'shareable'],
  'label-file': 'file',
  link: 'container',
  'log-driver': ['fluentd', 'gelf', 'journald', 'json-file', 'local', 'none', 'syslog'],
  'log-level': ['debug', 'info', 'warn', 'error', 'fatal', 'panic'],
  network: 'network',
  output: 'file',
  pid: ['host'],
  progress: ['auto', 'plain', 'tty'],
  pull: ['always', 'missing', 'never'],
  restart: ['always', 'no', 'on-failure', 'unless-stopped'],
  signal: signals,
  'stop-signal': signals,
  tlscacert: 'file',
  tlscert: 'file',
  tlskey: 'file',
  type: ['container', 'image', 'network', 'volume'],
  userns: ['host'],
  uts: ['host'],
  volume: 'volume',
  'volumes-from': 'container',
  workdir: 'none',
}
