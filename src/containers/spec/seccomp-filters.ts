import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '#base/atomic-file.ts'
import { systemCode } from '#base/errors.ts'
import type { HostSettings } from '../container.ts'
import { capabilitiesOf } from './capabilities.ts'
import { parseSeccompProfile, type ResolvedSeccomp, resolveSeccomp, type SeccompProfile } from './seccomp.ts'
import { defaultProfile } from './seccomp-profile.ts'
import { parseSecurityOptions, type SecurityOptions } from './security-options.ts'

/** Compiles `linux.seccomp` to a BPF program; takes half a millisecond. */
export type SeccompCompiler = (profile: ResolvedSeccomp) => Promise<Uint8Array>

const checksumSize = 32
/** Programs kept in memory: one per set of capabilities in use, 10 kB each. */
const memoryLimit = 32

/** Compiled filters by what they are made of, in memory and below `<data-root>/seccomp`. */
export class SeccompFilters {
  readonly #directory: string
  readonly #compile: SeccompCompiler
  readonly #version: string
  readonly #filters = new Map<string, Promise<Uint8Array>>()

  /** @param version changes with the compiler: filters of another version are not used. */
  constructor(directory: string, version: string, compile: SeccompCompiler) {
    this.#directory = directory
    this.#version = version
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
      filter = this.#load(readProfile(seccomp), host)
      this.#filters.set(key, filter)
      filter.catch(() => this.#filters.delete(key))
      for (const oldest of this.#filters.keys()) if (this.#filters.size > memoryLimit) this.#filters.delete(oldest)
    }
    return filter
  }

  async #load(profile: SeccompProfile, host: HostSettings): Promise<Uint8Array> {
    const resolved = resolveSeccomp(profile, capabilitiesOf(host))
    const name = createHash('sha256').update(this.#version).update(JSON.stringify(resolved)).digest('hex')
    const path = join(this.#directory, `${name}.bpf`)
    const found = await readChecked(path)
    if (found) return found
    const filter = await this.#compile(resolved)
    await writeFileAtomic(path, Buffer.concat([checksum(filter), filter]))
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

/** A file that was cut short or changed is compiled anew: half a filter is no filter. */
async function readChecked(path: string): Promise<Uint8Array | undefined> {
  let content: Buffer
  try {
    content = await readFile(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  const filter = content.subarray(checksumSize)
  return filter.length > 0 && checksum(filter).equals(content.subarray(0, checksumSize)) ? filter : undefined
}

function checksum(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}
