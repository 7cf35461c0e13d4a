import type { Container, Ulimit } from '../container.ts'

export const ulimitNames =
  `core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack`.split(' ')

/** The container as it is run: what it does not name is the daemon's to say, and stays out of its record. */
export function withDefaultUlimits(container: Container, defaults: readonly Ulimit[]): Container {
  const own = container.host.ulimits
  const added = defaults.filter(({ name }) => !own.some((ulimit) => ulimit.name === name))
  return { ...container, host: { ...container.host, ulimits: [...own, ...added] } }
}
