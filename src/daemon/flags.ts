import { parseArgs } from 'node:util'
import { invalid, messageOf } from '#base/errors.ts'
import { parseAddressPool } from '#engine/address-pools.ts'
import {
  type Config,
  mergeConfig,
  parseFormat,
  parseLabels,
  parseLevel,
  parseMax,
  parseUlimit,
  readConfigFile,
  type Settings,
} from '#engine/config.ts'

const defaultConfigFile = '/etc/berth/daemon.json'

export const help = `Usage:  berth daemon [OPTIONS]

The container engine: serves the Docker Engine API.

Options:
      --add-runtime list             OCI runtime that containers can ask for (name=path)
      --bip string                   IP address of the default bridge, with prefix length
      --cdi-spec-dir list            Directory of CDI files (default /etc/cdi and /var/run/cdi)
      --config-file string           Configuration file (default "${defaultConfigFile}")
      --data-root string             Directory of persistent state (default "/var/lib/berth")
  -D, --debug                        Debug messages
      --default-runtime string       Runtime of containers that name none (default "berth")
      --default-address-pool list    Addresses for networks (base=10.10.0.0/16,size=24)
      --default-ulimit list          Limit of processes in containers (name=soft:hard)
      --docker-socket                Serve /var/run/docker.sock too, where nobody else does
      --exec-opt list                Runtime options: native.cgroupdriver=cgroupfs or =systemd
      --exec-root string             Directory of the state of running containers (default "/run/berth")
  -G, --group string                 Group that may use the unix sockets (default: docker or berth, if there is one)
  -H, --host list                    Socket to listen on (default unix:///run/berth/berth.sock)
      --help                         Print this text
      --http-proxy string            Proxy for http:// (default: HTTP_PROXY of the environment)
      --https-proxy string           Proxy for https:// (default: HTTPS_PROXY of the environment)
      --insecure-registry list       Registry, or network of registries, that needs no TLS
      --label list                   Label of the engine (key=value)
      --log-driver string            Keeper of the output of containers that name none (default "json-file")
      --log-format string            Format of the log: text or json (default "text")
  -l, --log-level string             Level of the log: trace, debug, info, warn, error or fatal (default "info")
      --log-opt list                 Option of the log driver (key=value)
      --max-concurrent-downloads int Layers downloaded at a time (default 3)
      --max-concurrent-uploads int   Layers uploaded at a time (default 5)
      --max-download-attempts int    Attempts for each download (default 5)
      --mtu int                      MTU of container networks (default 1500)
      --no-new-privileges            No new privileges in containers that say nothing of it
      --no-proxy string              Hosts reached without a proxy (default: NO_PROXY of the environment)
  -p, --pidfile string               File for the daemon's process id
      --registry-mirror list         Registry to ask before docker.io
      --validate                     Check the configuration and end
      --userns-remap string          User and group whose subordinate ids containers get, or "default"
      --selinux-enabled              SELinux labels for containers, where the host has SELinux
      --tls                          TLS on tcp://; implied by --tlsverify
      --tlscacert string             Certificates of whoever signs those of clients
      --tlscert string               Certificate of the daemon
      --tlskey string                Key of that certificate
      --tlsverify                    TLS on tcp://, for clients with a certificate
`

const options = {
  'add-runtime': { type: 'string', multiple: true },
  bip: { type: 'string' },
  'cdi-spec-dir': { type: 'string', multiple: true },
  'config-file': { type: 'string' },
  'data-root': { type: 'string' },
  debug: { type: 'boolean', short: 'D' },
  'default-runtime': { type: 'string' },
  'default-address-pool': { type: 'string', multiple: true },
  'default-ulimit': { type: 'string', multiple: true },
  'docker-socket': { type: 'boolean' },
  'exec-opt': { type: 'string', multiple: true },
  'exec-root': { type: 'string' },
  group: { type: 'string', short: 'G' },
  host: { type: 'string', short: 'H', multiple: true },
  help: { type: 'boolean', short: 'h' },
  'http-proxy': { type: 'string' },
  'https-proxy': { type: 'string' },
  'insecure-registry': { type: 'string', multiple: true },
  label: { type: 'string', multiple: true },
  'log-driver': { type: 'string' },
  'log-format': { type: 'string' },
  'log-level': { type: 'string', short: 'l' },
  'log-opt': { type: 'string', multiple: true },
  'max-concurrent-downloads': { type: 'string' },
  'max-concurrent-uploads': { type: 'string' },
  'max-download-attempts': { type: 'string' },
  mtu: { type: 'string' },
  'no-new-privileges': { type: 'boolean' },
  'no-proxy': { type: 'string' },
  pidfile: { type: 'string', short: 'p' },
  'registry-mirror': { type: 'string', multiple: true },
  'selinux-enabled': { type: 'boolean' },
  tls: { type: 'boolean' },
  tlscacert: { type: 'string' },
  tlscert: { type: 'string' },
  tlskey: { type: 'string' },
  tlsverify: { type: 'boolean' },
  'userns-remap': { type: 'string' },
  validate: { type: 'boolean' },
} as const

/** What the command line asks for. */
export type Asked = { readonly kind: 'help' } | { readonly kind: 'serve' | 'validate'; readonly config: Config }

/** Reads the configuration file too.   @throws `invalid` */
export function parseFlags(argv: readonly string[]): Asked {
  const { values } = parse(argv)
  if (values.help) return { kind: 'help' }
  const path = values['config-file'] ?? defaultConfigFile
  const flags: Settings = {
    bip: values.bip,
    cdiSpecDirs: values['cdi-spec-dir'],
    dataRoot: values['data-root'],
    debug: values.debug,
    addressPools: values['default-address-pool']?.map(parseAddressPool),
    defaultUlimits: values['default-ulimit']?.map(parseUlimit),
    dockerSocket: values['docker-socket'],
    execOptions: values['exec-opt'],
    execRoot: values['exec-root'],
    group: values.group,
    hosts: values.host,
    httpProxy: values['http-proxy'],
    httpsProxy: values['https-proxy'],
    insecureRegistries: values['insecure-registry'],
    labels: values.label === undefined ? undefined : parseLabels(values.label),
    logDriver: values['log-driver'],
    logOptions: values['log-opt'] === undefined ? undefined : parseLogOpts(values['log-opt']),
    logFormat: values['log-format'] === undefined ? undefined : parseFormat(values['log-format']),
    logLevel: values['log-level'] === undefined ? undefined : parseLevel(values['log-level']),
    maxConcurrentDownloads: parseCount('max-concurrent-downloads', values['max-concurrent-downloads']),
    maxConcurrentUploads: parseCount('max-concurrent-uploads', values['max-concurrent-uploads']),
    maxDownloadAttempts: parseCount('max-download-attempts', values['max-download-attempts']),
    mtu: values.mtu === undefined ? undefined : parseMtu(values.mtu),
    noNewPrivileges: values['no-new-privileges'],
    noProxy: values['no-proxy'],
    pidfile: values.pidfile,
    registryMirrors: values['registry-mirror'],
    runtimes: values['add-runtime'] === undefined ? undefined : parseRuntimes(values['add-runtime']),
    defaultRuntime: values['default-runtime'],
    tls: values.tls,
    tlsVerify: values.tlsverify,
    tlsCaCert: values.tlscacert,
    tlsCert: values.tlscert,
    tlsKey: values.tlskey,
    usernsRemap: values['userns-remap'],
    selinuxEnabled: values['selinux-enabled'],
  }
  const file = readConfigFile(path, { required: values['config-file'] !== undefined })
  return { kind: values.validate ? 'validate' : 'serve', config: mergeConfig(flags, file, path) }
}

function parse(argv: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof options; strict: true }>> {
  const { words, decided } = takeBooleans(argv)
  try {
    const parsed = parseArgs({ args: words, options, strict: true, allowPositionals: false })
    return { ...parsed, values: { ...parsed.values, ...decided } }
  } catch (cause) {
    throw invalid(`${messageOf(cause)}\nSee 'berth daemon --help'.`, { cause })
  }
}

/** `--tls=false`, which parseArgs does not know. */
function takeBooleans(argv: readonly string[]): { words: string[]; decided: Record<string, boolean> } {
  const decided: Record<string, boolean> = {}
  const words = argv.filter((word) => {
    const [, name = '', value] = /^--([a-z-]+)=(true|false)$/.exec(word) ?? []
    if (value === undefined || !Object.entries(options).some(([key, { type }]) => key === name && type === 'boolean'))
      return true
    decided[name] = value === 'true'
    return false
  })
  return { words, decided }
}

function parseRuntimes(list: readonly string[]): Settings['runtimes'] {
  return Object.fromEntries(
    list.map((text) => {
      const [, name, path] = /^([^=]+)=(.+)$/s.exec(text) ?? []
      if (name === undefined || path === undefined) {
        throw invalid(`invalid runtime value: ${text}: it must be given as name=path`)
      }
      return [name, { path, args: [] }]
    }),
  )
}

function parseLogOpts(list: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    list.map((text) => {
      const at = text.indexOf('=')
      if (at <= 0) throw invalid(`invalid log option: ${text}: it must be given as key=value`)
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

function parseCount(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseMax(flag.replaceAll('-', ' '), /^\d+$/.test(text) ? Number(text) : text)
}

function parseMtu(text: string): number {
  const mtu = Number(text)
  if (!Number.isInteger(mtu) || mtu < 68 || mtu > 65_535)
    throw invalid(`invalid MTU: ${text}: it is a number from 68 to 65535`)
  return mtu
}
