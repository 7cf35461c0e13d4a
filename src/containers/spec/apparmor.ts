import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { messageOf, systemCode, unavailable } from '#base/errors.ts'
import type { HostSettings } from '../container.ts'
import { defaultProfile, defaultProfileName } from './apparmor-profile.ts'
import { parseSecurityOptions } from './security-options.ts'

const parsers = ['/sbin/apparmor_parser', '/usr/sbin/apparmor_parser']
const loadTimeoutMs = 30_000

/** The program that loads profiles on a host whose kernel has AppArmor switched on; undefined: no profile can be used here. */
export function findAppArmorParser(): string | undefined {
  try {
    if (!readFileSync('/sys/module/apparmor/parameters/enabled', 'latin1').startsWith('Y')) return undefined
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  // Without securityfs, as in most containers, there is no way in for a profile.
  if (!existsSync('/sys/kernel/security/apparmor')) return undefined
  return parsers.find((path) => existsSync(path))
}

/** The profile of a container's processes. */
export function appArmorProfileOf(host: HostSettings): string {
  return parseSecurityOptions(host.securityOpt).appArmor || (host.privileged ? 'unconfined' : defaultProfileName)
}

/** Profiles of containers; the default one is loaded when the first container needs it, and again when somebody has unloaded it. */
export class AppArmor {
  readonly #parser: string | undefined
  readonly #loaded: string
  #loading: Promise<void> | undefined

  /**
   * @param parser of `findAppArmorParser`
   * @param loaded the kernel's list of profiles
   */
  constructor(parser: string | undefined, loaded = '/sys/kernel/security/apparmor/profiles') {
    this.#parser = parser
    this.#loaded = loaded
  }

  get active(): boolean {
    return this.#parser !== undefined
  }

  /**
   * What `process.apparmorProfile` says; undefined where there is no AppArmor.
   * @throws `unavailable` when the default profile cannot be loaded
   */
  async of(host: HostSettings): Promise<string | undefined> {
    if (this.#parser === undefined) return undefined
    const profile = appArmorProfileOf(host)
    if (profile === defaultProfileName) await this.#load(this.#parser)
    return profile
  }

  async #load(parser: string): Promise<void> {
    const earlier = this.#loading
    if (earlier) {
      await earlier
      if (await isLoaded(this.#loaded)) return
      if (this.#loading === earlier) this.#loading = undefined
    }
    this.#loading ??= load(parser, defaultProfile())
    try {
      await this.#loading
    } catch (error) {
      this.#loading = undefined
      throw error
    }
  }
}

/** A host that does not show its profiles is taken to have kept ours: without it a start fails, and says so. */
async function isLoaded(list: string): Promise<boolean> {
  const profiles = await readFile(list, 'utf8').catch(() => undefined)
  return profiles?.split('\n').some((line) => line.startsWith(`${defaultProfileName} (`)) ?? true
}

/** Replaces an older one of the same name; processes under it go on under the new one. */
async function load(parser: string, profile: string): Promise<void> {
  const options = ['--replace', '--skip-cache']
  const child = spawn(parser, options, {
    stdio: ['pipe', 'ignore', 'pipe'],
    timeout: loadTimeoutMs,
    killSignal: 'SIGKILL',
  })
  // Without a descriptor to spare the child has no streams, and only its error tells so.
  const { stdin, stderr }: ChildProcess = child
  // One that ends early closes its end; why it did is on stderr.
  stdin?.on('error', () => undefined)
  stdin?.end(profile)
  const words = await Promise.all([once(child, 'close'), stderr ? text(stderr) : '']).then(
    ([[code], said]) => (code === 0 ? undefined : said.trim()),
    (error: unknown) => `cannot run: ${messageOf(error)}`,
  )
  if (words === undefined) return
  throw unavailable(
    `the AppArmor profile ${defaultProfileName} cannot be loaded by ${parser}: ${words}; --security-opt apparmor=unconfined starts a container without it`,
  )
}
