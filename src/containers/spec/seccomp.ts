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
  readonly syscalls: readonly SeccompRule[]
  /** What is not in the filter itself. */
  readonly loading: SeccompLoading
}

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

const architecturesOf: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
}

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
    architectures: architecturesOf[host.architecture] ?? [],
    syscalls: profile.syscalls.filter(applies).map(({ includes: _i, excludes: _e, ...rule }) => rule),
  }
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
      syscalls: reader.field('syscalls').optional((list) => list.array(10_000).map(readRule)) ?? [],
      loading: readLoading(reader),
    }
  } catch (cause) {
    throw invalid(`Decoding seccomp profile failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
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
