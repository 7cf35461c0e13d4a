import { readAddressPools } from './address-pools.ts'
import type { Config } from './config.ts'
import {
  parseAddress,
  parseCgroupnsMode,
  parseDomain,
  parseGateways,
  parseIpcMode,
  parsePublishAddress,
  readBytes,
  readSeconds,
} from './container-settings.ts'
import {
  flag,
  parseCompression,
  parseFormat,
  parseLabels,
  parseLevel,
  parseMax,
  type Reader,
  readDisk,
  readUlimits,
  registries,
  runtimes,
  text,
  texts,
} from './setting-readers.ts'
import { checkStorageOptions } from './storage-options.ts'

interface Directive {
  readonly setting: keyof Config
  readonly read: Reader
  /** Lists of flag and file do not add up: which one counts would be a guess. Undefined: there is no flag. */
  readonly flag: string | undefined
}

/** dockerd's keys of daemon.json, and two of ours: `registries` and `push-compression`. */
export const directives: Readonly<Record<string, Directive>> = {
  'data-root': { setting: 'dataRoot', read: text, flag: 'data-root' },
  'exec-root': { setting: 'execRoot', read: text, flag: 'exec-root' },
  hosts: { setting: 'hosts', read: texts, flag: 'host' },
  group: { setting: 'group', read: text, flag: 'group' },
  'docker-socket': { setting: 'dockerSocket', read: flag, flag: 'docker-socket' },
  tls: { setting: 'tls', read: flag, flag: 'tls' },
  tlsverify: { setting: 'tlsVerify', read: flag, flag: 'tlsverify' },
  tlscacert: { setting: 'tlsCaCert', read: text, flag: 'tlscacert' },
  tlscert: { setting: 'tlsCert', read: text, flag: 'tlscert' },
  tlskey: { setting: 'tlsKey', read: text, flag: 'tlskey' },
  pidfile: { setting: 'pidfile', read: text, flag: 'pidfile' },
  'log-level': { setting: 'logLevel', read: (field) => parseLevel(field.string()), flag: 'log-level' },
  'log-format': { setting: 'logFormat', read: (field) => parseFormat(field.string()), flag: 'log-format' },
  'log-driver': { setting: 'logDriver', read: text, flag: 'log-driver' },
  'log-opts': { setting: 'logOptions', read: (field) => field.stringMap(), flag: 'log-opt' },
  labels: { setting: 'labels', read: (field) => parseLabels(field.stringArray(1000)), flag: 'label' },
  debug: { setting: 'debug', read: flag, flag: 'debug' },
  'insecure-registries': { setting: 'insecureRegistries', read: texts, flag: 'insecure-registry' },
  'registry-mirrors': { setting: 'registryMirrors', read: texts, flag: 'registry-mirror' },
  registries: { setting: 'registries', read: registries, flag: undefined },
  'http-proxy': { setting: 'httpProxy', read: text, flag: 'http-proxy' },
  'https-proxy': { setting: 'httpsProxy', read: text, flag: 'https-proxy' },
  'no-proxy': { setting: 'noProxy', read: text, flag: 'no-proxy' },
  'max-concurrent-downloads': {
    setting: 'maxConcurrentDownloads',
    read: (field) => parseMax('max concurrent downloads', field.raw),
    flag: 'max-concurrent-downloads',
  },
  'max-concurrent-uploads': {
    setting: 'maxConcurrentUploads',
    read: (field) => parseMax('max concurrent uploads', field.raw),
    flag: 'max-concurrent-uploads',
  },
  'push-compression': {
    setting: 'pushCompression',
    read: (field) => parseCompression(field.string()),
    flag: undefined,
  },
  'max-download-attempts': {
    setting: 'maxDownloadAttempts',
    read: (field) => parseMax('max download attempts', field.raw),
    flag: 'max-download-attempts',
  },
  bip: { setting: 'bip', read: text, flag: 'bip' },
  'userns-remap': { setting: 'usernsRemap', read: text, flag: 'userns-remap' },
  disk: { setting: 'disk', read: readDisk, flag: 'disk' },
  'storage-opts': {
    setting: 'storageOptions',
    read: (field) => checkStorageOptions(field.stringArray(1000)),
    flag: 'storage-opt',
  },
  'selinux-enabled': { setting: 'selinuxEnabled', read: flag, flag: 'selinux-enabled' },
  runtimes: { setting: 'runtimes', read: runtimes, flag: 'add-runtime' },
  'cdi-spec-dirs': { setting: 'cdiSpecDirs', read: texts, flag: 'cdi-spec-dir' },
  'default-ulimits': { setting: 'defaultUlimits', read: readUlimits, flag: 'default-ulimit' },
  'no-new-privileges': { setting: 'noNewPrivileges', read: flag, flag: 'no-new-privileges' },
  'exec-opts': { setting: 'execOptions', read: texts, flag: 'exec-opt' },
  'default-runtime': { setting: 'defaultRuntime', read: text, flag: 'default-runtime' },
  'default-address-pools': { setting: 'addressPools', read: readAddressPools, flag: 'default-address-pool' },
  init: { setting: 'init', read: flag, flag: 'init' },
  'init-path': { setting: 'initPath', read: text, flag: 'init-path' },
  'default-shm-size': { setting: 'defaultShmSizeBytes', read: readBytes, flag: 'default-shm-size' },
  'default-ipc-mode': {
    setting: 'defaultIpcMode',
    read: (field) => parseIpcMode(field.string()),
    flag: 'default-ipc-mode',
  },
  'default-cgroupns-mode': {
    setting: 'defaultCgroupnsMode',
    read: (field) => parseCgroupnsMode(field.string()),
    flag: 'default-cgroupns-mode',
  },
  'cgroup-parent': { setting: 'cgroupParent', read: text, flag: 'cgroup-parent' },
  'seccomp-profile': { setting: 'seccompProfile', read: text, flag: 'seccomp-profile' },
  dns: { setting: 'dns', read: (field) => field.stringArray(100).map(parseAddress), flag: 'dns' },
  'dns-opts': { setting: 'dnsOptions', read: texts, flag: 'dns-opt' },
  'dns-search': { setting: 'dnsSearch', read: (field) => field.stringArray(100).map(parseDomain), flag: 'dns-search' },
  'host-gateway-ips': {
    setting: 'hostGateways',
    read: (field) => parseGateways(field.stringArray(2)),
    flag: 'host-gateway-ip',
  },
  ip: { setting: 'publishAddress', read: (field) => parsePublishAddress(field.string()), flag: 'ip' },
  'shutdown-timeout': { setting: 'shutdownTimeout', read: readSeconds, flag: 'shutdown-timeout' },
  mtu: { setting: 'mtu', read: (field) => field.size(), flag: 'mtu' },
}

/** What daemon.json calls a setting. */
export function keyOf(setting: string): string {
  return Object.entries(directives).find(([, directive]) => directive.setting === setting)?.[0] ?? setting
}
