import { parseArgs } from 'node:util'
import { invalid, messageOf } from '#base/errors.ts'
import { parseBytes } from '#base/quantity.ts'
import { parseAddressPool } from '#engine/address-pools.ts'
import type { Config, Settings } from '#engine/config.ts'
import { readConfigFile } from '#engine/config-file.ts'
import {
  parseAddress,
  parseCgroupnsMode,
  parseDomain,
  parseGateways,
  parseIpcMode,
  parsePublishAddress,
  parseSeconds,
} from '#engine/container-settings.ts'
import { mergeConfig } from '#engine/merge-config.ts'
import { parseFormat, parseLabels, parseLevel, parseMax, parseUlimit } from '#engine/setting-readers.ts'
import { checkStorageOptions } from '#engine/storage-options.ts'
import { defaultConfigFile, options } from './options.ts'

/** What the command line asks for. */
export type Asked = { readonly kind: 'help' } | { readonly kind: 'serve' | 'validate'; readonly config: Config }

/** Reads the configuration file too.   @throws `invalid` */
export function parseFlags(argv: readonly string[]): Asked {
  const { values } = parse(argv)
  if (values.help) return { kind: 'help' }
  const path = values['config-file'] ?? defaultConfigFile
  const flags: Settings = {
    bip: values.bip,
    cgroupParent: values['cgroup-parent'],
    cdiSpecDirs: values['cdi-spec-dir'],
    dataRoot: values['data-root'],
    debug: values.debug,
    addressPools: values['default-address-pool']?.map(parseAddressPool),
    defaultCgroupnsMode: parsed(values['default-cgroupns-mode'], parseCgroupnsMode),
    defaultIpcMode: parsed(values['default-ipc-mode'], parseIpcMode),
    defaultShmSizeBytes: parsed(values['default-shm-size'], parseBytes),
    defaultUlimits: values['default-ulimit']?.map(parseUlimit),
    dns: values.dns?.map(parseAddress),
    dnsOptions: values['dns-opt'],
    dnsSearch: values['dns-search']?.map(parseDomain),
    dockerSocket: values['docker-socket'],
    execOptions: values['exec-opt'],
    execRoot: values['exec-root'],
    group: values.group,
    hostGateways: parsed(values['host-gateway-ip'], parseGateways),
    hosts: values.host,
    httpProxy: values['http-proxy'],
    httpsProxy: values['https-proxy'],
    init: values.init,
    initPath: values['init-path'],
    insecureRegistries: values['insecure-registry'],
    labels: parsed(values.label, parseLabels),
    logDriver: values['log-driver'],
    logOptions: parsed(values['log-opt'], parseLogOpts),
    logFormat: parsed(values['log-format'], parseFormat),
    logLevel: parsed(values['log-level'], parseLevel),
    maxConcurrentDownloads: parseCount('max-concurrent-downloads', values['max-concurrent-downloads']),
    maxConcurrentUploads: parseCount('max-concurrent-uploads', values['max-concurrent-uploads']),
    maxDownloadAttempts: parseCount('max-download-attempts', values['max-download-attempts']),
    mtu: parsed(values.mtu, parseMtu),
    noNewPrivileges: values['no-new-privileges'],
    noProxy: values['no-proxy'],
    pidfile: values.pidfile,
    publishAddress: parsed(values.ip, parsePublishAddress),
    registryMirrors: values['registry-mirror'],
    runtimes: parsed(values['add-runtime'], parseRuntimes),
    defaultRuntime: values['default-runtime'],
    seccompProfile: values['seccomp-profile'],
    shutdownTimeout: parsed(values['shutdown-timeout'], (text) =>
      parseSeconds(/^-?\d+$/.test(text) ? Number(text) : text),
    ),
    tls: values.tls,
    tlsVerify: values.tlsverify,
    tlsCaCert: values.tlscacert,
    tlsCert: values.tlscert,
    tlsKey: values.tlskey,
    usernsRemap: values['userns-remap'],
    selinuxEnabled: values['selinux-enabled'],
    storageOptions: values['storage-opt'] && checkStorageOptions(values['storage-opt']),
  }
  const file = readConfigFile(path, { required: values['config-file'] !== undefined })
  return { kind: values.validate ? 'validate' : 'serve', config: mergeConfig(flags, file, path) }
}

function parsed<Text, Value>(given: Text | undefined, parse: (text: Text) => Value): Value | undefined {
  return given === undefined ? undefined : parse(given)
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
