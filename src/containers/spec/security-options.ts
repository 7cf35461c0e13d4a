import { invalid, notImplemented } from '#base/errors.ts'

export interface SecurityOptions {
  readonly noNewPrivileges: boolean
  readonly seccomp: 'default' | 'unconfined' | { readonly profile: string }
  /** `writable-cgroups`: /sys/fs/cgroup may be written. */
  readonly writableCgroups: boolean
  /** A profile of AppArmor, or `unconfined`; undefined: what the container's other settings ask for. */
  readonly appArmor?: string
}

/** Reads `--security-opt`.   @throws `invalid`, `not-implemented` */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let result: SecurityOptions = { noNewPrivileges: false, seccomp: 'default', writableCgroups: false }
  for (const option of options) result = { ...result, ...parseOption(option) }
  return result
}

function parseOption(option: string): Partial<SecurityOptions> {
  const [, key = option, value] = /^([^=:]+)[=:](.*)$/s.exec(option) ?? []
  switch (key) {
    case 'no-new-privileges':
      return { noNewPrivileges: parseFlag(option, value) }
    case 'writable-cgroups':
      return { writableCgroups: parseFlag(option, value) }
    case 'seccomp':
      if (value === undefined || value === '') throw invalid(`invalid --security-opt 2: "${option}"`)
      return {
        seccomp:
          value === 'unconfined' || value === 'default' || value === 'builtin' ? named(value) : { profile: value },
      }
    case 'label':
      if (value === 'disable') return {}
      throw notImplemented(`--security-opt ${option} is not implemented: containers get no SELinux labels`)
    case 'apparmor':
      if (value === undefined || value === '') throw invalid(`invalid --security-opt 2: "${option}"`)
      return { appArmor: value }
    default:
      throw invalid(`invalid --security-opt 1: "${option}"`)
  }
}

function named(word: string): 'default' | 'unconfined' {
  return word === 'unconfined' ? 'unconfined' : 'default'
}

function parseFlag(option: string, value: string | undefined): boolean {
  if (value === undefined || value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw invalid(`invalid --security-opt: "${option}"`)
}
