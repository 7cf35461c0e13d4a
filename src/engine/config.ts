import { readFileSync } from 'node:fs'
import { invalid, messageOf, systemCode } from '#base/errors.ts'
import type { LogFormat, LogLevel } from '#base/log.ts'
import { parseAmount } from '#base/quantity.ts'
import type { Ulimit } from '#containers/container.ts'
import { builtInRuntime, type OtherRuntime } from '#containers/runtimes.ts'
import { ulimitNames } from '#containers/spec/process-defaults.ts'
import type { DiskLimits } from '#images/budget/disk-budget.ts'
import type { Compression } from '#images/layers/compress.ts'
import { withoutUser } from '#images/registry/proxies.ts'
import type { RegistrySetting } from '#images/registry/registry-config.ts'
import type { Pool } from '#network/ipam/pool.ts'
import { JsonReader } from '#oci/json.ts'
import { readAddressPools } from './address-pools.ts'
import { withoutSettledKeys } from './dockerd-keys.ts'

/** Everything the daemon can be told, decided once at start. */
export interface Config {
  readonly dataRoot: string
  readonly execRoot: string
  readonly hosts: readonly string[]
  readonly group: string | undefined
  /** Ours: serve /var/run/docker.sock too, where nobody else does. */
  readonly dockerSocket: boolean
  /** TLS on tcp://; undefined: nobody said so, and false is a decision. */
  readonly tls: boolean | undefined
  /** Only clients with a certificate of `tlsCaCert` are served. */
  readonly tlsVerify: boolean | undefined
  readonly tlsCaCert: string | undefined
  readonly tlsCert: string | undefined
  readonly tlsKey: string | undefined
  readonly pidfile: string | undefined
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  readonly debug: boolean
  /** `key=value`, of the engine itself. */
  readonly labels: readonly string[]
  readonly insecureRegistries: readonly string[]
  readonly registryMirrors: readonly string[]
  /** What is said about single registries and parts of them, by prefix. */
  readonly registries: Readonly<Record<string, RegistrySetting>>
  /** Undefined: what the environment says. */
  readonly httpProxy: string | undefined
  readonly httpsProxy: string | undefined
  readonly noProxy: string | undefined
  /** Layers at a time, over all pulls, and over all pushes. */
  readonly maxConcurrentDownloads: number
  readonly maxConcurrentUploads: number
  /** Of pushed layers that were made here. */
  readonly pushCompression: Compression
  /** How often a download that breaks is tried. */
  readonly maxDownloadAttempts: number
  readonly bip: string | undefined
  readonly mtu: number
  /** Undefined: Docker's. */
  readonly addressPools: readonly Pool[] | undefined
  /** OCI commands besides the built-in runtime, by the name containers ask for. */
  readonly runtimes: Readonly<Record<string, OtherRuntime>>
  readonly defaultRuntime: string
  /** Of containers that name none, and its options. */
  readonly logDriver: string
  readonly logOptions: Readonly<Record<string, string>>
  /** Directories of CDI files, the last one counting most. */
  readonly cdiSpecDirs: readonly string[]
  /** Of containers that do not name them. */
  readonly defaultUlimits: readonly Ulimit[]
  /** Of containers that say nothing of it. */
  readonly noNewPrivileges: boolean
  /** `native.cgroupdriver=systemd` */
  readonly execOptions: readonly string[]
  /** As dockerd takes it: `default`, or a user and perhaps a group, by name or number. */
  readonly usernsRemap: string | undefined
  /** Labels for containers, where the host has SELinux. */
  readonly selinuxEnabled: boolean
  /** Ours: `{"budget": "50GB", "minFree": "5%"}`. */
  readonly disk: DiskLimits
}

/** What flags or the file may set; undefined: not set there. */
export type Settings = { readonly [Key in keyof Config]?: Config[Key] | undefined }

type Reader = (field: JsonReader) => Config[keyof Config]

interface Directive {
  readonly setting: keyof Config
  readonly read: Reader
  /** Lists of flag and file do not add up: which one counts would be a guess. Undefined: there is no flag. */
  readonly flag: string | undefined
}

const levels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
const formats: readonly LogFormat[] = ['text', 'json']
const text: Reader = (field) => field.string()
const flag: Reader = (field) => field.boolean()
const texts: Reader = (field) => field.stringArray(1000)

/** `{"name": {"path": "/usr/bin/runc", "runtimeArgs": ["--debug"]}}` */
const runtimes: Reader = (field) =>
  Object.fromEntries(
    Object.keys(field.object()).map((name) => {
      const entry = field.field(name)
      for (const key of Object.keys(entry.object())) {
        if (key !== 'path' && key !== 'runtimeArgs')
          throw invalid(`runtimes.${name}.${key} is not supported: name a path`)
      }
      const args = entry.field('runtimeArgs').optional((list) => list.stringArray(1000)) ?? []
      return [name, { path: entry.field('path').string(), args }]
    }),
  )

/** `{"ghcr.io/org": {"mirrors": ["https://mirror.lan/cache"]}, "registry.lan:5000": {"insecure": true}}` */
const registries: Reader = (field) =>
  Object.fromEntries(
    Object.keys(field.object()).map((prefix): [string, RegistrySetting] => {
      const entry = field.field(prefix)
      for (const key of Object.keys(entry.object())) {
        if (key !== 'mirrors' && key !== 'insecure')
          throw invalid(`registries[${prefix}].${key} is not supported: there are mirrors and insecure`)
      }
      const mirrors = entry.field('mirrors').optional((list) => list.stringArray(100))
      const insecure = entry.field('insecure').optional((value) => value.boolean())
      return [prefix, { ...(mirrors && { mirrors }), ...(insecure !== undefined && { insecure }) }]
    }),
  )

/** dockerd's keys of daemon.json, and two of ours: `registries` and `push-compression`. */
const directives: Readonly<Record<string, Directive>> = {
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
  'selinux-enabled': { setting: 'selinuxEnabled', read: flag, flag: 'selinux-enabled' },
  runtimes: { setting: 'runtimes', read: runtimes, flag: 'add-runtime' },
  'cdi-spec-dirs': { setting: 'cdiSpecDirs', read: texts, flag: 'cdi-spec-dir' },
  'default-ulimits': { setting: 'defaultUlimits', read: readUlimits, flag: 'default-ulimit' },
  'no-new-privileges': { setting: 'noNewPrivileges', read: flag, flag: 'no-new-privileges' },
  'exec-opts': { setting: 'execOptions', read: texts, flag: 'exec-opt' },
  'default-runtime': { setting: 'defaultRuntime', read: text, flag: 'default-runtime' },
  'default-address-pools': { setting: 'addressPools', read: readAddressPools, flag: 'default-address-pool' },
  mtu: { setting: 'mtu', read: (field) => field.size(), flag: 'mtu' },
}

/** What daemon.json calls a setting. */
export function keyOf(setting: string): string {
  return Object.entries(directives).find(([, directive]) => directive.setting === setting)?.[0] ?? setting
}

/** `{"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 4096}}` */
function readUlimits(field: JsonReader): readonly Ulimit[] {
  return Object.keys(field.object()).map((key) => {
    const entry = field.field(key)
    const [soft, hard] = ['Soft', 'Hard'].map((name) => entry.field(name).raw)
    return checkUlimit({ name: entry.field('Name').optional((name) => name.string()) ?? key, soft, hard })
  })
}

/** `nofile=1024` or `nofile=1024:4096`.   @throws `invalid` */
export function parseUlimit(text: string): Ulimit {
  const [, name = '', soft, hard = soft] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? []
  if (soft === undefined) throw invalid(`invalid ulimit argument: ${text}: write name=soft or name=soft:hard`)
  return checkUlimit({ name, soft: Number(soft), hard: Number(hard) })
}

function checkUlimit({ name, soft, hard }: { name: string; soft: unknown; hard: unknown }): Ulimit {
  if (!ulimitNames.includes(name)) throw invalid(`invalid ulimit type: ${name}`)
  if (!Number.isSafeInteger(soft) || !Number.isSafeInteger(hard)) {
    throw invalid(`default-ulimits: ${name} needs numbers for Soft and Hard`)
  }
  const limit = { name, soft: Number(soft), hard: Number(hard) }
  if (limit.hard !== -1 && (limit.soft === -1 || limit.soft > limit.hard)) {
    throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`)
  }
  return limit
}

function readDisk(field: JsonReader): DiskLimits {
  for (const key of Object.keys(field.object())) {
    if (key !== 'budget' && key !== 'minFree') throw invalid(`disk.${key} is not known: name budget or minFree`)
  }
  const amount = (key: string) => field.field(key).optional((one) => parseAmount(one.string()))
  const [budget, minFree] = [amount('budget'), amount('minFree')]
  return { ...(budget && { budget }), ...(minFree && { minFree }) }
}

const defaultMtu = 1500
const fileSizeLimit = 1 << 20

/** @throws `invalid` in dockerd's words */
export function parseLevel(word: string): LogLevel {
  const level = levels.find((one) => one === word)
  if (!level) throw invalid(`invalid log level: ${word}: choose one of ${levels.join(', ')}`)
  return level
}

export function parseFormat(word: string): LogFormat {
  const format = formats.find((one) => one === word)
  if (!format) throw invalid(`invalid log format: ${word}: choose one of ${formats.join(', ')}`)
  return format
}

function parseCompression(word: string): Compression {
  if (word === 'gzip' || word === 'zstd') return word
  throw invalid(`invalid push-compression: ${word}: choose gzip or zstd`)
}

/** @throws `invalid` in dockerd's words */
export function parseLabels(labels: readonly string[]): readonly string[] {
  const seen = new Map<string, string>()
  for (const label of labels) {
    const at = label.indexOf('=')
    if (at <= 0) throw invalid(`bad attribute format: ${label}`)
    const other = seen.get(label.slice(0, at))
    if (other !== undefined && other !== label) throw invalid(`conflict labels for ${label} and ${other}`)
    seen.set(label.slice(0, at), label)
  }
  return [...new Set(labels)]
}

/** @throws `invalid` in dockerd's words */
export function parseMax(what: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
  throw invalid(`invalid ${what}: ${String(value)}`)
}

/** Reads daemon.json. A missing file is an empty one, unless `required`.   @throws `invalid` naming the file and the key */
export function readConfigFile(path: string, { required }: { required: boolean }): Settings {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT' && !required) return {}
    throw invalid(`unable to configure the daemon with file ${path}: ${messageOf(cause)}`, { cause })
  }
  if (content.length > fileSizeLimit)
    throw invalid(`the configuration file ${path} is larger than ${fileSizeLimit} bytes`)
  try {
    return parseConfigFile(content, path)
  } catch (cause) {
    throw invalid(`unable to configure the daemon with file ${path}: ${messageOf(cause)}`, { cause })
  }
}

export function parseConfigFile(content: string, path: string): Settings {
  if (content.trim() === '') return {}
  const file = JsonReader.parse(content, path)
  const reader = flatten(new JsonReader(withoutSettledKeys(file.object()), path), path)
  const keys = Object.keys(reader.object())
  const unknown = keys.filter((key) => !Object.hasOwn(directives, key))
  if (unknown.length > 0) {
    throw invalid(`the following directives don't match any configuration option: ${unknown.join(', ')}`)
  }
  return Object.fromEntries(
    keys.flatMap((key) => {
      const directive = directives[key]
      return directive ? [[directive.setting, directive.read(reader.field(key))]] : []
    }),
  )
}

/** The keys below `proxies` stand for themselves, as their flags do. */
function flatten(reader: JsonReader, path: string): JsonReader {
  const proxies = reader.field('proxies').optional((field) => field.stringMap())
  if (proxies === undefined) return reader
  const unknown = Object.keys(proxies).filter((key) => !['http-proxy', 'https-proxy', 'no-proxy'].includes(key))
  if (unknown.length > 0) {
    throw invalid(`the following directives don't match any configuration option: ${unknown.join(', ')}`)
  }
  const { proxies: _, ...rest } = reader.object()
  return new JsonReader({ ...rest, ...proxies }, path)
}

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
    execOptions: [],
    usernsRemap: undefined,
    selinuxEnabled: false,
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
