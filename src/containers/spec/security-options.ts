import { internal } from '#base/errors.ts'

export interface SecurityOptions {
  readonly noNewPrivileges: boolean
  readonly seccomp: 'default' | 'unconfined' | { readonly profile: string }
  /** `writable-cgroups`: /sys/fs/cgroup may be written. */
  readonly writableCgroups: boolean
  /** A profile of AppArmor, or `unconfined`; undefined or '': what the container's other settings ask for. */
  readonly appArmor?: string
  /** Values of `label`; they mean something where the host has SELinux only. */
  readonly labelOptions: readonly string[]
}

/** Reads `--security-opt`.   @throws `internal` in Docker's words, which answers 500 to them */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let result: SecurityOptions = { noNewPrivileges: false, seccomp: 'default', writableCgroups: false, labelOptions: [] }
  for (const option of options) result = { ...result, ...parseOption(option, result) }
  return result
}

function parseOption(option: string, { labelOptions }: SecurityOptions): Partial<SecurityOptions> {
  if (option === 'disable') return { labelOptions: [...labelOptions, option] }
  const [, key = option, value] = /^([^=:]+)[=:](.*)$/s.exec(option) ?? []
  switch (key) {
    case 'no-new-privileges':
      return { noNewPrivileges: parseFlag(option, value) }
    case 'writable-cgroups':
      return { writableCgroups: parseFlag(option, value) }
    case 'seccomp':
      return { seccomp: parseSeccomp(requireValue(option, value)) }
    case 'label':
      return { labelOptions: [...labelOptions, requireValue(option, value)] }
    case 'apparmor':
      return { appArmor: requireValue(option, value) }
    default:
      requireValue(option, value)
      throw internal(`invalid --security-opt 2: "${option}"`)
  }
}

function requireValue(option: string, value: string | undefined): string {
  if (value === undefined) throw internal(`invalid --security-opt 1: "${option}"`)
  return value
}

function parseSeccomp(value: string): SecurityOptions['seccomp'] {
  if (value === 'unconfined') return value
  return ['', 'default', 'builtin'].includes(value) ? 'default' : { profile: value }
}

function parseFlag(option: string, value: string | undefined): boolean {
  if (value === undefined || value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw internal(`invalid --security-opt 2: "${option}"`)
}
