import { posix } from 'node:path'
import { invalid, notImplemented } from '#base/errors.ts'
import type { MountSetting } from '#containers/container.ts'
import type { Mount } from '#contract/types.gen.ts'

const propagations = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'] as const
const consistencies = ['consistent', 'cached', 'delegated']

const plain = {
  readonly: false,
  propagation: '',
  createSource: false,
  nonRecursive: false,
  tmpfsSizeBytes: undefined,
  tmpfsMode: undefined,
  tmpfsOptions: undefined,
  mode: undefined,
} as const

/** `source:target[:options]` of `-v`.   @throws `invalid` in Docker's words, `not-implemented` for volumes */
export function parseBind(text: string): MountSetting {
  const [source = '', target, options = '', ...more] = text.split(':')
  if (more.length > 0 || source === '') throw invalid(`invalid volume specification: '${text}'`)
  if (target === undefined) throw volumesAreMissing(`-v ${text}`)
  if (!target.startsWith('/')) {
    const type = source.startsWith('/') ? 'bind' : 'volume'
    throw invalid(
      `invalid volume specification: '${text}': invalid mount config for type "${type}": invalid mount path: '${target}' mount path must be absolute`,
    )
  }
  if (!source.startsWith('/')) throw volumesAreMissing(`-v ${text}`)
  if (posix.resolve(target) === '/') {
    throw invalid(
      `invalid volume specification: '${text}': invalid mount config for type "bind": invalid specification: destination can't be '/'`,
    )
  }
  return {
    ...plain,
    ...parseBindOptions(options),
    type: 'bind',
    source: posix.normalize(source),
    target: posix.normalize(target),
    createSource: true,
    origin: 'binds',
  }
}

function parseBindOptions(options: string): Pick<MountSetting, 'readonly' | 'propagation' | 'mode'> {
  const wrong = () => invalid(`invalid mode: ${options}`)
  let access: string | undefined
  let propagation: MountSetting['propagation'] = ''
  let label: string | undefined
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
    } else if (!['nocopy', ...consistencies].includes(option)) {
      throw wrong()
    }
  }
  return { readonly: access === 'ro', propagation, mode: options === '' ? undefined : options }
}

/** `--mount`.   @throws `invalid` in Docker's words, `not-implemented` */
export function parseMount(mount: Mount): MountSetting {
  const { Type: type = '', Source: source = '', Target: target = '' } = mount
  const wrong = (reason: string) => invalid(`invalid mount config for type "${type}": ${reason}`)
  if (target === '') throw wrong('field Target must not be empty')
  if (!target.startsWith('/')) throw wrong(`invalid mount path: '${target}' mount path must be absolute`)
  const common = {
    ...plain,
    target: posix.normalize(target),
    readonly: mount.ReadOnly ?? false,
    origin: 'mounts',
  } as const
  if (mount.BindOptions && type !== 'bind') throw misplaced('BindOptions', type)
  if (mount.TmpfsOptions && type !== 'tmpfs') throw misplaced('TmpfsOptions', type)
  if (mount.VolumeOptions && type !== 'volume') throw misplaced('VolumeOptions', type)
  switch (type) {
    case 'bind': {
      if (source === '') throw wrong('field Source must not be empty')
      if (!source.startsWith('/')) throw wrong(`invalid mount path: '${source}' mount path must be absolute`)
      const { Propagation = '', NonRecursive = false, CreateMountpoint = false } = mount.BindOptions ?? {}
      const propagation = Propagation === '' ? '' : propagations.find((one) => one === Propagation)
      if (propagation === undefined) throw wrong(`invalid propagation mode: ${Propagation}`)
      return {
        ...common,
        type,
        source: posix.normalize(source),
        propagation,
        nonRecursive: NonRecursive,
        createSource: CreateMountpoint,
      }
    }
    case 'tmpfs': {
      if (source !== '') throw wrong('field Source must not be specified')
      const { SizeBytes, Mode, Options } = mount.TmpfsOptions ?? {}
      if (SizeBytes !== undefined && SizeBytes < 0) throw wrong('tmpfs size must not be negative')
      const tmpfsOptions = Options?.map((pair) => pair.join('=')).join(',')
      return { ...common, type, source: '', tmpfsSizeBytes: SizeBytes || undefined, tmpfsMode: Mode, tmpfsOptions }
    }
    case 'volume':
    case 'image':
    case 'npipe':
    case 'cluster':
      throw notImplemented(`mounts of type "${type}" are not supported yet; use type bind or tmpfs (target ${target})`)
    default:
      throw wrong('mount type unknown')
  }
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

function volumesAreMissing(what: string) {
  return notImplemented(`named and anonymous volumes are not supported yet (${what}); bind a host directory instead`)
}
