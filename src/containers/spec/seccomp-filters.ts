import type { HostSettings } from '../container.ts'
import { capabilitiesOf } from './capabilities.ts'
import { parseSeccompProfile, type ResolvedSeccomp, resolveSeccomp, type SeccompProfile } from './seccomp.ts'
import { defaultProfile } from './seccomp-profile.ts'
import { parseSecurityOptions, type SecurityOptions } from './security-options.ts'

/** Compiles `linux.seccomp` to a BPF program; takes half a millisecond. */
export type SeccompCompiler = (profile: ResolvedSeccomp) => Promise<Uint8Array>

/** One per set of capabilities in use, 10 kB each. */
const limit = 32

/**
 * Compiled filters by all that decides them: what was asked for and the capabilities. Machine, kernel and compiler stay what they are for
 * as long as this process lives.
 */
export class SeccompFilters {
  readonly #compile: SeccompCompiler
  readonly #filters = new Map<string, Promise<Uint8Array>>()

  constructor(compile: SeccompCompiler) {
    this.#compile = compile
  }

  /** What the filter is compiled from; undefined: unconfined. */
  profileOf(host: HostSettings): ResolvedSeccomp | undefined {
    const seccomp = askedSeccomp(host)
    return seccomp && resolveSeccomp(readProfile(seccomp), capabilitiesOf(host))
  }

  /** The filter of a container's processes; undefined: unconfined. */
  async of(host: HostSettings): Promise<Uint8Array | undefined> {
    const seccomp = askedSeccomp(host)
    if (seccomp === undefined) return undefined
    const key = JSON.stringify([seccomp, capabilitiesOf(host)])
    let filter = this.#filters.get(key)
    if (!filter) {
      filter = this.#compile(resolveSeccomp(readProfile(seccomp), capabilitiesOf(host)))
      this.#filters.set(key, filter)
      filter.catch(() => this.#filters.delete(key))
      for (const oldest of this.#filters.keys()) if (this.#filters.size > limit) this.#filters.delete(oldest)
    }
    return filter
  }
}

type AskedSeccomp = Exclude<SecurityOptions['seccomp'], 'unconfined'>

function askedSeccomp({ privileged, securityOpt }: HostSettings): AskedSeccomp | undefined {
  const { seccomp } = parseSecurityOptions(securityOpt)
  return privileged || seccomp === 'unconfined' ? undefined : seccomp
}

function readProfile(seccomp: AskedSeccomp): SeccompProfile {
  return seccomp === 'default' ? defaultProfile() : parseSeccompProfile(seccomp.profile)
}
