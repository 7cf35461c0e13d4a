import { internal } from '#base/errors.ts'

/** A label of SELinux, `user:role:type[:level]`. */
export interface SelinuxContext {
  readonly user: string
  readonly role: string
  readonly type: string
  /** Sensitivity and categories, `s0:c1,c2`; '' in a policy without levels. */
  readonly level: string
}

/** @throws `internal`: labels come from the host's policy or from a record */
export function parseContext(label: string): SelinuxContext {
  const [, user, role, type, level = ''] = /^([^:]*):([^:]*):([^:]*)(?::(.*))?$/s.exec(label) ?? []
  if (user === undefined || role === undefined || type === undefined)
    throw internal(`'${label}' is no label of SELinux: it is user:role:type:level`)
  return { user, role, type, level }
}

export function formatContext({ user, role, type, level }: SelinuxContext): string {
  return [user, role, type, ...(level === '' ? [] : [level])].join(':')
}

export function withLevel(label: string, level: string): string {
  return formatContext({ ...parseContext(label), level })
}
