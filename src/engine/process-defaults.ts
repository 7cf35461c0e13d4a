import { readFileSync } from 'node:fs'
import { invalid, messageOf } from '#base/errors.ts'
import type { ProcessDefaults } from '#containers/spec/process-defaults.ts'
import { parseSeccompProfile } from '#containers/spec/seccomp.ts'
import type { Config } from './config.ts'

/** What the configuration says of the processes of containers.   @throws `invalid` naming a seccomp profile that cannot be used */
export function processDefaultsOf(config: Config): ProcessDefaults {
  const { defaultUlimits: ulimits, noNewPrivileges, init, seccompProfile } = config
  return { ulimits, noNewPrivileges, init, seccomp: readSeccomp(seccompProfile) }
}

function readSeccomp(profile: string): string {
  if (['', 'builtin', 'default'].includes(profile)) return 'builtin'
  if (profile === 'unconfined') return profile
  try {
    const text = readFileSync(profile, 'utf8')
    parseSeccompProfile(text)
    return text
  } catch (cause) {
    throw invalid(`opening seccomp profile (${profile}) failed: ${messageOf(cause)}`, { cause })
  }
}
