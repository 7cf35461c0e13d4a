import type { Container, Ulimit } from '../container.ts'

export const ulimitNames =
  `core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack`.split(' ')

/** What the daemon says of the processes of containers that do not say it themselves. */
export interface ProcessDefaults {
  readonly ulimits: readonly Ulimit[]
  readonly noNewPrivileges: boolean
  readonly init: boolean
  /** What `--security-opt seccomp=` would name: `builtin`, `unconfined` or the JSON of a profile. */
  readonly seccomp: string
}

export const noProcessDefaults: ProcessDefaults = {
  ulimits: [],
  noNewPrivileges: false,
  init: false,
  seccomp: 'builtin',
}

/** The container as it is run; its record keeps what it was created with. */
export function withProcessDefaults(container: Container, defaults: ProcessDefaults): Container {
  const { ulimits, securityOpt } = container.host
  const added = defaults.ulimits.filter(({ name }) => !ulimits.some((ulimit) => ulimit.name === name))
  const isSaid = (name: string) => securityOpt.some((option) => option.split(/[=:]/, 1)[0] === name)
  return {
    ...container,
    host: {
      ...container.host,
      init: container.host.init ?? defaults.init,
      ulimits: [...ulimits, ...added],
      securityOpt: [
        ...securityOpt,
        ...(defaults.noNewPrivileges && !isSaid('no-new-privileges') ? ['no-new-privileges'] : []),
        ...(defaults.seccomp !== 'builtin' && !isSaid('seccomp') ? [`seccomp=${defaults.seccomp}`] : []),
      ],
    },
  }
}
