import type { Container, Ulimit } from '../container.ts'

export const ulimitNames =
  `core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack`.split(' ')

/** What the daemon says of the processes of containers that do not say it themselves. */
export interface ProcessDefaults {
  readonly ulimits: readonly Ulimit[]
  readonly noNewPrivileges: boolean
}

/** The container as it is run; its record keeps what it was created with. */
export function withProcessDefaults(container: Container, defaults: ProcessDefaults): Container {
  const { ulimits, securityOpt } = container.host
  const added = defaults.ulimits.filter(({ name }) => !ulimits.some((ulimit) => ulimit.name === name))
  const isSaid = securityOpt.some((option) => /^no-new-privileges(?:[=:]|$)/.test(option))
  return {
    ...container,
    host: {
      ...container.host,
      ulimits: [...ulimits, ...added],
      securityOpt: defaults.noNewPrivileges && !isSaid ? [...securityOpt, 'no-new-privileges'] : securityOpt,
    },
  }
}
