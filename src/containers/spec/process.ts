import type { ProcessSpec } from '#oci/runtime-spec.ts'
import type { Container, ContainerConfig, Ulimit } from '../container.ts'
import type { ExecRequest } from '../requests.ts'
import { capabilitiesOf } from './capabilities.ts'
import { parseSeccompProfile, type SeccompLoading } from './seccomp.ts'
import { parseSecurityOptions } from './security-options.ts'
import type { ResolvedUser } from './user.ts'

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** A process object with what the container's `linux` says of its processes. */
export interface ExecSpec extends ProcessSpec {
  readonly linux?: { readonly seccomp: object }
}

/** What init runs. */
export function initProcess(
  { config, host, path, args, selinux }: Container,
  user: ResolvedUser,
  apparmorProfile: string | undefined,
): ProcessSpec {
  return {
    ...confinement(host),
    ...(apparmorProfile !== undefined && { apparmorProfile }),
    ...selinuxLabelOf({ host, selinux }),
    ...terminal(config.tty, host.consoleSize),
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: [path, ...args],
    env: withHome(environment(config, config.tty), user.home),
    cwd: config.workingDir === '' ? '/' : config.workingDir,
  }
}

/** What an exec runs: the container's environment and confinement, and what was asked on top. */
export function execProcess(
  { config, host, selinux }: Container,
  request: ExecRequest,
  { user, apparmorProfile }: { user: ResolvedUser; apparmorProfile: string | undefined },
): ExecSpec {
  const base = environment(config, request.tty)
  const confined = request.privileged ? { ...host, privileged: true } : host
  const seccomp = seccompOf(confined)
  return {
    ...confinement(confined),
    ...(seccomp && { linux: { seccomp } }),
    ...(apparmorProfile !== undefined && { apparmorProfile }),
    ...selinuxLabelOf({ host, selinux }),
    ...terminal(request.tty, request.consoleSize),
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: request.cmd,
    env: withHome(mergeEnvironment(base, request.env), user.home),
    cwd: request.workingDir !== '' ? request.workingDir : config.workingDir === '' ? '/' : config.workingDir,
  }
}

/** Later entries replace earlier ones of the same name in place; a name without `=` removes it. */
export function mergeEnvironment(base: readonly string[], added: readonly string[]): string[] {
  const merged = new Map(base.map((entry) => [nameOf(entry), entry]))
  for (const entry of added) {
    if (entry.includes('=')) merged.set(nameOf(entry), entry)
    else merged.delete(entry)
  }
  return [...merged.values()]
}

function environment(config: ContainerConfig, tty: boolean): string[] {
  const base = [`PATH=${defaultPath}`, `HOSTNAME=${config.hostname}`, ...(tty ? ['TERM=xterm'] : [])]
  return mergeEnvironment(base, config.env)
}

function withHome(env: string[], home: string): string[] {
  return env.some((entry) => entry.startsWith('HOME=')) ? env : [...env, `HOME=${home}`]
}

function nameOf(entry: string): string {
  const at = entry.indexOf('=')
  return at < 0 ? entry : entry.slice(0, at)
}

function terminal(
  tty: boolean,
  size: readonly [height: number, width: number] | undefined,
): Pick<ProcessSpec, 'terminal' | 'consoleSize'> {
  if (!tty) return {}
  const [height, width] = size ?? [0, 0]
  return { terminal: true, ...(height > 0 && width > 0 && { consoleSize: { height, width } }) }
}

/** A privileged container has none, whatever label it was given; a privileged exec keeps its container's, as with Docker. */
function selinuxLabelOf({ host, selinux }: Pick<Container, 'host' | 'selinux'>): Pick<ProcessSpec, 'selinuxLabel'> {
  const label = host.privileged ? '' : (selinux?.process ?? '')
  return label === '' ? {} : { selinuxLabel: label }
}

/** What `linux.seccomp` says beside the filter, which is compiled; undefined: nothing. */
export function seccompOf(host: Container['host']): SeccompLoading | undefined {
  const { seccomp } = parseSecurityOptions(host.securityOpt)
  if (host.privileged || typeof seccomp === 'string') return undefined
  const { loading } = parseSeccompProfile(seccomp.profile)
  return Object.keys(loading).length > 0 ? loading : undefined
}

/** The OOM score always, for without one a process would have the shim's, which the kernel kills last. */
function confinement(
  host: Container['host'],
): Pick<ProcessSpec, 'capabilities' | 'rlimits' | 'noNewPrivileges' | 'oomScoreAdj'> {
  const capabilities = capabilitiesOf(host)
  return {
    capabilities: {
      bounding: capabilities,
      effective: capabilities,
      permitted: capabilities,
      inheritable: [],
      ambient: [],
    },
    rlimits: host.ulimits.map(toRlimit),
    noNewPrivileges: parseSecurityOptions(host.securityOpt).noNewPrivileges,
    oomScoreAdj: host.oomScoreAdj,
  }
}

/** The kernel's "no limit": the largest number of 64 bits, which JSON numbers cannot carry exactly. */
function toRlimit({ name, soft, hard }: Ulimit): { type: string; soft: number; hard: number } {
  return { type: `RLIMIT_${name.toUpperCase()}`, soft, hard }
}
