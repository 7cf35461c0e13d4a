import { invalid } from '#base/errors.ts'
import type { HostSettings } from '#containers/container.ts'
import type { PortMap } from '#contract/types.gen.ts'

/** `80` → `80/tcp`; ranges (`80-90/tcp`) stay as they are.   @throws `invalid` */
export function parsePort(text: string): string {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text)
  const [, first = '', last = first, protocol = 'tcp'] = match ?? []
  if (!match || Number(first) > 65_535 || Number(last) > 65_535 || Number(first) > Number(last)) {
    throw invalid(`invalid port specification: ${JSON.stringify(text)}`)
  }
  return `${first}${last === first ? '' : `-${last}`}/${protocol.toLowerCase()}`
}

export function parsePortBindings(map: PortMap | undefined): HostSettings['portBindings'] {
  return Object.fromEntries(
    Object.entries(map ?? {}).map(([port, bindings]) => [
      parsePort(port),
      bindings.map(({ HostIp, HostPort }) => ({ hostIp: HostIp ?? '', hostPort: HostPort ?? '' })),
    ]),
  )
}
