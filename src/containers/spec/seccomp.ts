import { release } from 'node:os'
import { invalid } from '#base/errors.ts'
import { JsonReader } from '#oci/json.ts'

export interface SeccompArgument {
  readonly index: number
  readonly value: number
  readonly valueTwo?: number
  readonly op: string
}

interface SeccompCondition {
  readonly caps?: readonly string[]
  readonly arches?: readonly string[]
  readonly minKernel?: string
}

export interface SeccompRule {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly SeccompArgument[]
  readonly includes?: SeccompCondition
  readonly excludes?: SeccompCondition
}

/** A profile as `--security-opt seccomp=FILE` has it: rules with conditions. @see moby/profiles, seccomp */
export interface SeccompProfile {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly architectures: SeccompArchitectures
  readonly syscalls: readonly SeccompRule[]
  /** What is not in the filter itself. */
  readonly loading: SeccompLoading
}

/** Whose calls are let in beside the machine's own: on every machine the same, or on each (by its own) others. */
export type SeccompArchitectures = readonly string[] | ReadonlyMap<string, readonly string[]>

/** How a filter is loaded, and who is told of notifications. */
export interface SeccompLoading {
  readonly flags?: readonly string[]
  readonly listenerPath?: string
  readonly listenerMetadata?: string
}

/** `linux.seccomp` of config.json: the conditions are decided. @see runtime-spec v1.2 config-linux.md#seccomp */
export interface ResolvedSeccomp {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly architectures: readonly string[]
  readonly syscalls: readonly Omit<SeccompRule, 'includes' | 'excludes'>[]
}

/** Node's names of machines → the runtime-spec's. */
const seccompArchitecture: Readonly<Record<string, string>> = { x64: 'SCMP_ARCH_X86_64', arm64: 'SCMP_ARCH_AARCH64' }

/** Names of architectures in profiles → Node's. */
const nodeArchitecture: Readonly<Record<string, string>> = { amd64: 'x64', x64: 'x64', arm64: 'arm64' }

export interface SeccompHost {
  /** As `process.arch`. */
  readonly architecture: string
  /** As `uname -r`. */
  readonly kernel: string
}

/** Decides every condition for a process with these capabilities in its bounding set. */
export function resolveSeccomp(
  profile: SeccompProfile,
  capabilities: readonly string[],
  host: SeccompHost = { architecture: process.arch, kernel: release() },
): ResolvedSeccomp {
  const holds = ({ caps, arches, minKernel }: SeccompCondition) => ({
    caps: caps?.some((capability) => capabilities.includes(capability)),
    arches: arches?.some((arch) => nodeArchitecture[arch] === host.architecture),
    minKernel: minKernel === undefined ? undefined : isAtLeast(host.kernel, minKernel),
  })
  const applies = ({ includes = {}, excludes = {} }: SeccompRule) =>
    Object.values(holds(includes)).every((met) => met !== false) &&
    Object.values(holds(excludes)).every((met) => met !== true)
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet !== undefined && { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: architecturesOf(profile.architectures, seccompArchitecture[host.architecture] ?? ''),
    syscalls: profile.syscalls.filter(applies).map(({ includes: _i, excludes: _e, ...rule }) => rule),
  }
}

function architecturesOf(asked: SeccompArchitectures, own: string): readonly string[] {
  if (!('get' in asked)) return asked
  const others = asked.get(own)
  return others ? [own, ...others] : []
}

function isAtLeast(kernel: string, wanted: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number)
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number)
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}

/** Reads a user's own profile.   @throws `invalid` in Docker's words */
export function parseSeccompProfile(text: string): SeccompProfile {
  try {
    const reader = JsonReader.parse(text, 'seccomp profile')
    const errno = reader.field('defaultErrnoRet').optional((field) => field.size())
    return {
      defaultAction: reader.field('defaultAction').string(),
      ...(errno !== undefined && { defaultErrnoRet: errno }),
      architectures: readArchitectures(reader),
      syscalls: reader.field('syscalls').optional((list) => list.array(10_000).map(readRule)) ?? [],
      loading: readLoading(reader),
    }
  } catch (cause) {
    throw invalid(`Decoding seccomp profile failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
}

function readArchitectures(reader: JsonReader): SeccompArchitectures {
  const list = reader.field('architectures').optional((field) => field.stringArray(100)) ?? []
  const map = reader.field('archMap').optional((field) => field.array(100).map(readArchMapEntry)) ?? []
  if (list.length > 0 && map.length > 0) throw invalid("use either 'architectures' or 'archMap', not both")
  return list.length > 0 ? list : new Map(map)
}

function readArchMapEntry(reader: JsonReader): [own: string, others: readonly string[]] {
  const others = reader.field('subArchitectures').optional((field) => field.stringArray(100)) ?? []
  return [reader.field('architecture').string(), others]
}

function readLoading(reader: JsonReader): SeccompLoading {
  const flags = reader.field('flags').optional((field) => field.stringArray(100))
  const listenerPath = reader.field('listenerPath').optional((field) => field.string())
  const listenerMetadata = reader.field('listenerMetadata').optional((field) => field.string())
  return {
    ...(flags && flags.length > 0 && { flags }),
    ...(listenerPath && { listenerPath }),
    ...(listenerMetadata && { listenerMetadata }),
  }
}

function readRule(reader: JsonReader): SeccompRule {
  const name = reader.field('name').optional((field) => field.string())
  const names = reader.field('names').optional((field) => field.stringArray(10_000)) ?? []
  const errnoRet = reader.field('errnoRet').optional((field) => field.size())
  const args = reader.field('args').optional((list) => list.array(100).map(readArgument))
  const includes = reader.field('includes').optional(readCondition)
  const excludes = reader.field('excludes').optional(readCondition)
  return {
    names: name === undefined || name === '' ? names : [...names, name],
    action: reader.field('action').string(),
    ...(errnoRet !== undefined && { errnoRet }),
    ...(args && args.length > 0 && { args }),
    ...(includes && { includes }),
    ...(excludes && { excludes }),
  }
}

function readArgument(reader: JsonReader): SeccompArgument {
  const valueTwo = reader.field('valueTwo').optional((field) => field.size())
  return {
    index: reader.field('index').size(),
    value: reader.field('value').size(),
    ...(valueTwo !== undefined && { valueTwo }),
    op: reader.field('op').string(),
  }
}

function readCondition(reader: JsonReader): SeccompCondition {
  const list = (name: string) => reader.field(name).optional((field) => field.stringArray(100))
  const caps = list('caps')
  const arches = list('arches')
  const minKernel = reader.field('minKernel').optional((field) => field.string())
  return {
    ...(caps && caps.length > 0 && { caps }),
    ...(arches && arches.length > 0 && { arches }),
    ...(minKernel !== undefined && minKernel !== '' && { minKernel }),
  }
}
