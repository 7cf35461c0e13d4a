import { readFileSync } from 'node:fs'
import { invalid, messageOf, systemCode } from '#base/errors.ts'
import type { LogFormat, LogLevel } from '#base/log.ts'
import { builtInRuntime, type OtherRuntime } from '#containers/runtimes.ts'
import { JsonReader } from '#oci/json.ts'

/** Everything the daemon can be told, decided once at start. */
export interface Config {
  readonly dataRoot: string
  readonly execRoot: string
  readonly hosts: readonly string[]
  readonly group: string | undefined
  readonly pidfile: string | undefined
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  readonly debug: boolean
  readonly insecureRegistries: readonly string[]
  readonly registryMirrors: readonly string[]
  readonly bip: string | undefined
  readonly mtu: number
  /** OCI commands besides the built-in runtime, by the name containers ask for. */
  readonly runtimes: Readonly<Record<string, OtherRuntime>>
  readonly defaultRuntime: string
  /** `native.cgroupdriver=systemd` */
  readonly execOptions: readonly string[]
  /** As dockerd takes it: `default`, or a user and perhaps a group, by name or number. */
  readonly usernsRemap: string | undefined
  readonly selinuxEnabled: false
}

/** What flags or the file may set; undefined: not set there. */
export type Settings = { readonly [Key in keyof Config]?: Config[Key] | undefined }

type Reader = (field: JsonReader) => Config[keyof Config]

interface Directive {
  readonly setting: keyof Config
  readonly read: Reader
  /** Lists of flag and file do not add up: which one counts would be a guess. */
  readonly flag: string
}

const levels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
const formats: readonly LogFormat[] = ['text', 'json']
const text: Reader = (field) => field.string()
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

/** dockerd's keys of daemon.json. */
const directives: Readonly<Record<string, Directive>> = {
  'data-root': { setting: 'dataRoot', read: text, flag: 'data-root' },
  'exec-root': { setting: 'execRoot', read: text, flag: 'exec-root' },
  hosts: { setting: 'hosts', read: texts, flag: 'host' },
  group: { setting: 'group', read: text, flag: 'group' },
  pidfile: { setting: 'pidfile', read: text, flag: 'pidfile' },
  'log-level': { setting: 'logLevel', read: (field) => parseLevel(field.string()), flag: 'log-level' },
  'log-format': { setting: 'logFormat', read: (field) => parseFormat(field.string()), flag: 'log-format' },
  debug: { setting: 'debug', read: (field) => field.boolean(), flag: 'debug' },
  'insecure-registries': { setting: 'insecureRegistries', read: texts, flag: 'insecure-registry' },
  'registry-mirrors': { setting: 'registryMirrors', read: texts, flag: 'registry-mirror' },
  bip: { setting: 'bip', read: text, flag: 'bip' },
  'userns-remap': { setting: 'usernsRemap', read: text, flag: 'userns-remap' },
  'selinux-enabled': {
    setting: 'selinuxEnabled',
    read: (field) => parseSelinux(field.boolean()),
    flag: 'selinux-enabled',
  },
  runtimes: { setting: 'runtimes', read: runtimes, flag: 'add-runtime' },
  'exec-opts': { setting: 'execOptions', read: texts, flag: 'exec-opt' },
  'default-runtime': { setting: 'defaultRuntime', read: text, flag: 'default-runtime' },
  mtu: { setting: 'mtu', read: (field) => field.size(), flag: 'mtu' },
}

const defaultMtu = 1500
const fileSizeLimit = 1 << 20

/** @throws `invalid` in dockerd's words */
export function parseLevel(word: string): LogLevel {
  const level = levels.find((one) => one === word)
  if (!level) throw invalid(`invalid log level: ${word}: choose one of ${levels.join(', ')}`)
  return level
}

/** @throws `invalid`: whoever asks for labels must not run without them */
export function parseSelinux(enabled: boolean): false {
  if (enabled) throw invalid('selinux-enabled is not supported: containers get no SELinux labels')
  return false
}

export function parseFormat(word: string): LogFormat {
  const format = formats.find((one) => one === word)
  if (!format) throw invalid(`invalid log format: ${word}: choose one of ${formats.join(', ')}`)
  return format
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
  const reader = JsonReader.parse(content, path)
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
    pidfile: undefined,
    logFormat: 'text',
    debug: false,
    insecureRegistries: [],
    registryMirrors: [],
    bip: undefined,
    mtu: defaultMtu,
    runtimes: {},
    defaultRuntime: builtInRuntime,
    execOptions: [],
    usernsRemap: undefined,
    selinuxEnabled: false,
    ...set,
    logLevel: set.logLevel ?? (set.debug === true ? 'debug' : 'info'),
  })
}

function withoutUnset(settings: Settings): Partial<Config> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(' ')}]`
  return typeof value === 'object' ? `[${Object.keys(value ?? {}).join(' ')}]` : String(value)
}
