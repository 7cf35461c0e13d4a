import { resolve } from 'node:path'
import { invalid } from '#base/errors.ts'
import type { Mount } from '../client/wire.ts'
import { parseCsv, parseTruth } from './csv.ts'
import { parseSize } from './size.ts'

type Set = (mount: Mount, value: string, key: string) => void

const yes = (value: string, key: string): boolean => parseTruth(value, `invalid value for ${key}: ${value}`)
const bind = (mount: Mount): NonNullable<Mount['BindOptions']> => {
  mount.BindOptions ??= {}
  return mount.BindOptions
}
const volume = (mount: Mount): NonNullable<Mount['VolumeOptions']> => {
  mount.VolumeOptions ??= {}
  return mount.VolumeOptions
}
const driver = (mount: Mount): NonNullable<NonNullable<Mount['VolumeOptions']>['DriverConfig']> => {
  const options = volume(mount)
  options.DriverConfig ??= {}
  return options.DriverConfig
}
const tmpfs = (mount: Mount): NonNullable<Mount['TmpfsOptions']> => {
  mount.TmpfsOptions ??= {}
  return mount.TmpfsOptions
}

const setType: Set = (mount, value) => {
  mount.Type = value.toLowerCase()
}
const setSource: Set = (mount, value) => {
  mount.Source = value
}
const setTarget: Set = (mount, value) => {
  mount.Target = value
}
const setReadOnly: Set = (mount, value, key) => {
  mount.ReadOnly = yes(value, key)
}

const setters: Readonly<Record<string, Set>> = {
  type: setType,
  source: setSource,
  src: setSource,
  target: setTarget,
  dst: setTarget,
  destination: setTarget,
  readonly: setReadOnly,
  ro: setReadOnly,
  consistency: (mount, value) => {
    mount.Consistency = value.toLowerCase()
  },
  'bind-propagation': (mount, value) => {
    bind(mount).Propagation = value.toLowerCase()
  },
  'bind-nonrecursive': (mount, value, key) => {
    bind(mount).NonRecursive = yes(value, key)
  },
  'bind-recursive': setRecursive,
  'volume-subpath': (mount, value) => {
    volume(mount).Subpath = value
  },
  'volume-nocopy': (mount, value) => {
    volume(mount).NoCopy = parseTruth(value, `invalid value for volume-nocopy: ${value}`)
  },
  'volume-label': (mount, value) => {
    const options = volume(mount)
    options.Labels = { ...options.Labels, ...pair(value) }
  },
  'volume-driver': (mount, value) => {
    driver(mount).Name = value
  },
  'volume-opt': (mount, value) => {
    const config = driver(mount)
    config.Options = { ...config.Options, ...pair(value) }
  },
  'image-subpath': (mount, value) => {
    mount.ImageOptions = { Subpath: value }
  },
  'tmpfs-size': (mount, value, key) => {
    try {
      tmpfs(mount).SizeBytes = parseSize(value)
    } catch (error) {
      throw invalid(`invalid value for ${key}: ${value}`, { cause: error })
    }
  },
  'tmpfs-mode': (mount, value, key) => {
    if (!/^[0-7]+$/.test(value)) throw invalid(`invalid value for ${key}: ${value}`)
    tmpfs(mount).Mode = Number.parseInt(value, 8)
  },
}

function setRecursive(mount: Mount, value: string, key: string): void {
  switch (value) {
    case 'enabled':
      return
    case 'disabled':
      bind(mount).NonRecursive = true
      return
    case 'writable':
      bind(mount).ReadOnlyNonRecursive = true
      return
    case 'readonly':
      bind(mount).ReadOnlyForceRecursive = true
      return
    default:
      throw invalid(`invalid value for ${key}: ${value} (must be "enabled", "disabled", "writable", or "readonly")`)
  }
}

/** `--mount type=bind,src=/a,dst=/b,ro` → the API's mount; relative sources count from `directory`.   @throws `invalid` */
export function parseMount(text: string, directory: string): Mount {
  const mount: Mount = { Type: 'volume', Target: '' }
  for (const field of parseCsv(text)) {
    const equals = field.indexOf('=')
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase()
    const set = Object.hasOwn(setters, key) ? setters[key] : undefined
    if (equals < 0 && !['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive'].includes(key)) {
      throw invalid(`invalid field '${field}' must be a key=value pair`)
    }
    if (!set) throw invalid(`unexpected key '${key}' in '${field}'`)
    set(mount, equals < 0 ? 'true' : field.slice(equals + 1), key)
  }
  check(mount)
  const source = mount.Source
  if (mount.Type === 'bind' && source !== undefined && /^\.{1,2}(\/|$)/.test(source))
    mount.Source = resolve(directory, source)
  return mount
}

/** A mount as it was written, when it is one.   @throws `invalid` */
export function checkMount(text: string): string {
  parseMount(text, '/')
  return text
}

function check(mount: Mount): void {
  if (mount.Type === '') throw invalid('type is required')
  if (mount.Target === '') throw invalid('target is required')
  const mixed = (kind: string): Error => invalid(`cannot mix '${kind}-*' options with mount type '${mount.Type}'`)
  if (mount.VolumeOptions && mount.Type !== 'volume') throw mixed('volume')
  if (mount.ImageOptions && mount.Type !== 'image') throw mixed('image')
  if (mount.BindOptions && mount.Type !== 'bind') throw mixed('bind')
  if (mount.TmpfsOptions && mount.Type !== 'tmpfs') throw mixed('tmpfs')
  if (!mount.BindOptions?.ReadOnlyForceRecursive) return
  if (!mount.ReadOnly)
    throw invalid("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction")
  if (mount.BindOptions.Propagation !== 'rprivate') {
    throw invalid(
      "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
    )
  }
}

function pair(text: string): Record<string, string> {
  const equals = text.indexOf('=')
  return equals < 0 ? { [text]: '' } : { [text.slice(0, equals)]: text.slice(equals + 1) }
}
