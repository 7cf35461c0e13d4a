import { invalid } from '#base/errors.ts'
import { builtInRuntime } from '#containers/runtimes.ts'
import { withoutUser } from '#images/registry/proxies.ts'
import type { Config, Settings } from './config.ts'
import { directives } from './directives.ts'

const defaultMtu = 1500

/** Flags and file as one.   @throws `invalid` naming what is set in both, in dockerd's words */
export function mergeConfig(flags: Settings, file: Settings, path: string): Config {
  const both = Object.entries(directives).filter(
    ([, { setting }]) => flags[setting] !== undefined && file[setting] !== undefined,
  )
  if (both.length > 0) {
    const list = both.map(
      ([key, { setting, flag }]) =>
        `${key}: (from flag --${flag}: ${show(flags[setting])}, from file: ${show(file[setting])})`,
    )
    throw invalid(
      `unable to configure the daemon with file ${path}: the following directives are specified both as a flag and in the configuration file: ${list.join(', ')}`,
    )
  }
  const set = { ...withoutUnset(file), ...withoutUnset(flags) }
  return Object.freeze({
    dataRoot: '/var/lib/berth',
    execRoot: '/run/berth',
    hosts: ['unix:///run/berth/berth.sock'],
    group: undefined,
    dockerSocket: false,
    tls: undefined,
    tlsVerify: undefined,
    tlsCaCert: undefined,
    tlsCert: undefined,
    tlsKey: undefined,
    pidfile: undefined,
    logFormat: 'text',
    debug: false,
    labels: [],
    insecureRegistries: [],
    registryMirrors: [],
    registries: {},
    httpProxy: undefined,
    httpsProxy: undefined,
    noProxy: undefined,
    maxConcurrentDownloads: 3,
    maxConcurrentUploads: 5,
    pushCompression: 'gzip',
    maxDownloadAttempts: 5,
    bip: undefined,
    mtu: defaultMtu,
    addressPools: undefined,
    runtimes: {},
    defaultRuntime: builtInRuntime,
    logDriver: 'json-file',
    logOptions: {},
    cdiSpecDirs: ['/etc/cdi', '/var/run/cdi'],
    defaultUlimits: [],
    noNewPrivileges: false,
    init: false,
    initPath: undefined,
    defaultShmSizeBytes: 64 << 20,
    defaultIpcMode: 'private',
    defaultCgroupnsMode: 'private',
    cgroupParent: '',
    seccompProfile: 'builtin',
    dns: [],
    dnsOptions: [],
    dnsSearch: [],
    hostGateways: [],
    publishAddress: '0.0.0.0',
    shutdownTimeout: 15,
    execOptions: [],
    usernsRemap: undefined,
    selinuxEnabled: false,
    storageOptions: [],
    disk: {},
    ...set,
    logLevel: set.logLevel ?? (set.debug === true ? 'debug' : 'info'),
  })
}

function withoutUnset(settings: Settings): Partial<Config> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

function show(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map((one) => (typeof one === 'object' ? JSON.stringify(one) : one)).join(' ')}]`
  }
  return typeof value === 'object' ? `[${Object.keys(value ?? {}).join(' ')}]` : withoutUser(String(value))
}
