import { posix } from 'node:path'
import { invalid } from '#base/errors.ts'
import type { MountSetting, VolumeSetting } from '#containers/container.ts'
import type { Mount } from '#contract/types.gen.ts'

const propagations = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'] as const
const consistencies = ['consistent', 'cached', 'delegated']

const plain = {
  readonly: false,
  propagation: '',
  createSource: false,
  nonRecursive: false,
  readonlyBelow: 'if-possible',
  volume: undefined,
  subpath: '',
  tmpfsSizeBytes: undefined,
  tmpfsMode: undefined,
  tmpfsOptions: undefined,
  mode: undefined,
  asked: undefined,
} as const

const plainVolume: VolumeSetting = { driver: '', options: undefined, labels: undefined, noCopy: false }

/** `source:target[:options]` of `-v`; a source that is no absolute path names a volume.   @throws `invalid` in Docker's words */
export function parseBind(text: string): MountSetting {
  const [source = '', target, options = '', ...more] = text.split(':')
  if (more.length > 0 || source === '') throw invalid(`invalid volume specification: '${text}'`)
  const type = target !== undefined && source.startsWith('/') ? 'bind' : 'volume'
  const wrong = (reason: string) =>
    invalid(`invalid volume specification: '${text}': invalid mount config for type "${type}": ${reason}`)
  // Alone it would be an anonymous volume's target, which clients send elsewhere.
  const place = target ?? source
  if (!place.startsWith('/')) throw wrong(`invalid mount path: '${place}' mount path must be absolute`)
  if (posix.resolve(place) === '/') throw wrong("invalid specification: destination can't be '/'")
  const { noCopy, ...parsed } = parseBindOptions(options)
  if (type === 'volume' && parsed.propagation !== '') throw wrong('field BindOptions must not be specified')
  if (type === 'bind' && noCopy) throw wrong('field VolumeOptions must not be specified')
  return {
    ...plain,
    ...parsed,
    type,
    source: target === undefined ? '' : type === 'bind' ? posix.normalize(source) : source,
    target: posix.normalize(place),
    createSource: type === 'bind',
    volume: type === 'volume' ? { ...plainVolume, noCopy } : undefined,
    origin: 'binds',
  }
}

function parseBindOptions(
  options: string,
): Pick<MountSetting, 'readonly' | 'propagation' | 'mode'> & { readonly noCopy: boolean } {
  const wrong = () => invalid(`invalid mode: ${options}`)
  let access: string | undefined
  let propagation: MountSetting['propagation'] = ''
  let label: string | undefined
  let noCopy = false
  for (const option of options === '' ? [] : options.split(',')) {
    const asked = propagations.find((one) => one === option)
    if (option === 'ro' || option === 'rw') {
      if (access !== undefined) throw wrong()
      access = option
    } else if (asked) {
      if (propagation !== '') throw wrong()
      propagation = asked
    } else if (option === 'z' || option === 'Z') {
      if (label !== undefined) throw wrong()
      label = option
    } else if (option === 'nocopy') {
      if (noCopy) throw wrong()
      noCopy = true
    } else if (!consistencies.includes(option)) {
      throw wrong()
    }
  }
  return { readonly: access === 'ro', propagation, mode: options === '' ? undefined : options, noCopy }
}

type Wrong = (reason: string) => Error
type Common = Omit<MountSetting, 'type' | 'source'>

/** `--mount`.   @throws `invalid` in Docker's words */
export function parseMount(mount: Mount): MountSetting {
  const { Type: type = '', Target: target = '' } = mount
  const wrong: Wrong = (reason) => invalid(`invalid mount config for type "${type}": ${reason}`)
  if (target === '') throw wrong('field Target must not be empty')
  if (!target.startsWith('/')) throw wrong(`invalid mount path: '${target}' mount path must be absolute`)
  for (const [field, owner] of Object.entries(ownersOfOptions)) {
    if (mount[field as keyof Mount] !== undefined && type !== owner) throw misplaced(field, type)
  }
  const common: Common = {
    ...plain,
    target: posix.normalize(target),
    readonly: mount.ReadOnly ?? false,
    origin: 'mounts',
    asked: withoutZeros(mount),
  }
  switch (type) {
    case 'bind':
      return { ...common, ...bindOf(mount, wrong), type }
    case 'tmpfs':
      return { ...common, ...tmpfsOf(mount, wrong), type }
    case 'volume':
      if (posix.resolve(target) === '/') throw wrong("invalid specification: destination can't be '/'")
      return { ...common, ...volumeOf(mount, wrong), type }
    case 'image':
      return { ...common, ...imageOf(mount, wrong), type }
    default:
      throw wrong('mount type unknown')
  }
}

const ownersOfOptions = { BindOptions: 'bind', TmpfsOptions: 'tmpfs', VolumeOptions: 'volume', ImageOptions: 'image' }

type Bind = Pick<MountSetting, 'source' | 'propagation' | 'nonRecursive' | 'readonlyBelow' | 'createSource'>

function bindOf({ Source: source = '', BindOptions: options = {} }: Mount, wrong: Wrong): Bind {
  if (source === '') throw wrong('field Source must not be empty')
  if (!source.startsWith('/')) throw wrong(`invalid mount path: '${source}' mount path must be absolute`)
  const { Propagation = '', NonRecursive = false, CreateMountpoint = false } = options
  const propagation = Propagation === '' ? '' : propagations.find((one) => one === Propagation)
  if (propagation === undefined) throw wrong(`invalid propagation mode: ${Propagation}`)
  const { ReadOnlyNonRecursive = false, ReadOnlyForceRecursive = false } = options
  return {
    source: posix.normalize(source),
    propagation,
    nonRecursive: NonRecursive,
    readonlyBelow: ReadOnlyNonRecursive ? 'never' : ReadOnlyForceRecursive ? 'always' : 'if-possible',
    createSource: CreateMountpoint,
  }
}

type Tmpfs = Pick<MountSetting, 'source' | 'tmpfsSizeBytes' | 'tmpfsMode' | 'tmpfsOptions'>

function tmpfsOf({ Source: source = '', TmpfsOptions: options = {} }: Mount, wrong: Wrong): Tmpfs {
  if (source !== '') throw wrong('field Source must not be specified')
  const { SizeBytes, Mode, Options = [] } = options
  for (const words of Options) {
    if (words.length === 0 || words.length > 2) throw wrong('invalid option array length')
    if (words[0] !== 'exec' && words[0] !== 'noexec') throw wrong(`invalid option: ${words[0]}`)
  }
  if (SizeBytes !== undefined && SizeBytes < 0) throw wrong('tmpfs size must not be negative')
  return {
    source: '',
    tmpfsSizeBytes: SizeBytes || undefined,
    tmpfsMode: Mode,
    tmpfsOptions: Options.length === 0 ? undefined : Options.map(([word]) => word).join(','),
  }
}

function volumeOf({ Source = '', ReadOnly, VolumeOptions = {} }: Mount, wrong: Wrong) {
  const { NoCopy = false, Labels: labels, DriverConfig = {}, Subpath: subpath = '' } = VolumeOptions
  if (Source === '' && ReadOnly) throw wrong('must not set ReadOnly mode when using anonymous volumes')
  if (Source === '' && subpath !== '') throw wrong('must not set Subpath when using anonymous volumes')
  checkSubpath(subpath, wrong)
  const volume = { driver: DriverConfig.Name ?? '', options: DriverConfig.Options, labels, noCopy: NoCopy }
  return { source: Source, subpath, volume }
}

function imageOf({ Source = '', ImageOptions = {} }: Mount, wrong: Wrong) {
  if (Source === '') throw wrong('field Source must not be empty')
  const { Subpath: subpath = '' } = ImageOptions
  checkSubpath(subpath, wrong)
  return { source: Source, subpath, readonly: true }
}

function checkSubpath(subpath: string, wrong: Wrong): void {
  const path = posix.normalize(subpath)
  if (path.startsWith('/') || path === '..' || path.startsWith('../')) {
    throw wrong('subpath must be a relative path within the volume')
  }
}

/** As Go's encoding/json leaves out what is empty: inspect gives back what is said, not what is not. */
function withoutZeros(value: object): Record<string, unknown> {
  const members = Object.entries(value).map(([key, one]) => [key, isStruct(key, one) ? withoutZeros(one) : one])
  return Object.fromEntries(members.filter(([, one]) => !isZero(one)))
}

function isStruct(key: string, value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    (key.endsWith('Options') || key === 'DriverConfig') &&
    !Array.isArray(value)
  )
}

function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  return value === undefined || value === null || value === '' || value === 0 || value === false
}

/** `--tmpfs target:options`. */
export function parseTmpfs(target: string, options: string): MountSetting {
  return {
    ...plain,
    type: 'tmpfs',
    source: '',
    target: posix.normalize(target),
    tmpfsOptions: options,
    origin: 'tmpfs',
  }
}

function misplaced(field: string, type: string) {
  return invalid(`${field} must not be specified on mount type ${JSON.stringify(type)}`)
}
