import { invalid } from '#base/errors.ts'
import type { JsonReader } from '#oci/json.ts'
import type { HookKind, HookSpec, MountSpec } from '#oci/runtime-spec.ts'

/** What a device does to config.json. @see https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md */
export interface ContainerEdits {
  readonly env: readonly string[]
  readonly deviceNodes: readonly DeviceNode[]
  readonly mounts: readonly MountSpec[]
  readonly hooks: readonly (readonly [kind: HookKind, hook: HookSpec])[]
  readonly additionalGids: readonly number[]
}

/** What is not said is the host's own. */
export interface DeviceNode {
  readonly path: string
  readonly hostPath: string
  readonly permissions: string
  readonly fileMode: number | undefined
  readonly uid: number | undefined
  readonly gid: number | undefined
}

export interface CdiSpec {
  /** `vendor.com/class` */
  readonly kind: string
  /** For any of its devices. */
  readonly edits: ContainerEdits
  readonly devices: ReadonlyMap<string, ContainerEdits>
}

const entryLimit = 10_000
const known = ['env', 'deviceNodes', 'mounts', 'hooks', 'additionalGids']
const hookKinds: readonly HookKind[] = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
]

/** A file of a CDI directory, versions 0.3 to 1.0.   @throws `invalid` naming the field, also for edits that could not be made */
export function parseCdiSpec(file: JsonReader): CdiSpec {
  const version = file.field('cdiVersion').string()
  if (!/^(?:0\.[3-9]|1\.\d+)\.\d+$/.test(version)) throw invalid(`cdiVersion ${version} is not known`)
  const kind = file.field('kind').string()
  if (!isKind(kind)) throw invalid(`kind ${JSON.stringify(kind)} is not vendor/class`)
  const devices = file.field('devices').array(entryLimit)
  return {
    kind,
    edits: parseEdits(file.field('containerEdits')),
    devices: new Map(
      devices.map((device) => [device.field('name').string(), parseEdits(device.field('containerEdits'))]),
    ),
  }
}

function isKind(text: string): boolean {
  return /^[A-Za-z][\w.-]*\/[A-Za-z][\w-]*$/.test(text)
}

function parseEdits(field: JsonReader): ContainerEdits {
  const given = field.optional((edits) => edits.object()) ?? {}
  const other = Object.keys(given).find((key) => !known.includes(key))
  if (other !== undefined) throw invalid(`containerEdits.${other} is not supported`)
  const list = <T>(name: string, read: (entry: JsonReader) => T): T[] =>
    field.present ? (field.field(name).optional((entries) => entries.array(entryLimit).map(read)) ?? []) : []
  return {
    env: list('env', (entry) => entry.string()),
    deviceNodes: list('deviceNodes', parseDeviceNode),
    mounts: list('mounts', parseMount),
    hooks: list('hooks', parseHook),
    additionalGids: list('additionalGids', (entry) => entry.size()),
  }
}

function parseDeviceNode(field: JsonReader): DeviceNode {
  const path = absolute(field.field('path'))
  const size = (name: string) => field.field(name).optional((value) => value.size())
  return {
    path,
    hostPath: field.field('hostPath').optional(absolute) ?? path,
    permissions: field.field('permissions').optional((value) => value.string()) ?? 'rwm',
    fileMode: size('fileMode'),
    uid: size('uid'),
    gid: size('gid'),
  }
}

function parseMount(field: JsonReader): MountSpec {
  return {
    destination: absolute(field.field('containerPath')),
    source: field.field('hostPath').string(),
    type: field.field('type').optional((value) => value.string()) || 'bind',
    options: field.field('options').optional((value) => value.stringArray(entryLimit)) ?? [],
  }
}

function parseHook(field: JsonReader): readonly [HookKind, HookSpec] {
  const name = field.field('hookName').string()
  const kind = hookKinds.find((one) => one === name)
  if (!kind) throw invalid(`hook ${name} is not known`)
  const strings = (key: string) => field.field(key).optional((value) => value.stringArray(entryLimit))
  const [args, env] = [strings('args'), strings('env')]
  const timeout = field.field('timeout').optional((value) => value.size())
  return [
    kind,
    {
      path: absolute(field.field('path')),
      ...(args && { args }),
      ...(env && { env }),
      ...(timeout !== undefined && { timeout }),
    },
  ]
}

function absolute(field: JsonReader): string {
  const path = field.string()
  if (!path.startsWith('/')) throw invalid(`${JSON.stringify(path)} is not an absolute path`)
  return path
}
