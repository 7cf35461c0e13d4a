import type { Attached } from '#network/attachment.ts'
import type { SandboxRequest } from '#network/sandbox.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './context.ts'

/** Of containers that name none, list by list; empty: the host's. */
export interface DnsDefaults {
  readonly servers: readonly string[]
  readonly options: readonly string[]
  readonly search: readonly string[]
}

/** What a container asks of its network stack at each start. */
export function toSandboxRequest(
  { paths, dnsDefaults }: Pick<ContainerContext, 'paths' | 'dnsDefaults'>,
  { id, name, config, host }: Container,
): SandboxRequest {
  const orDefault = (own: readonly string[], theirs: readonly string[]) => (own.length > 0 ? own : theirs)
  return {
    mode: host.networkMode,
    name,
    hostname: config.hostname,
    domainname: config.domainname,
    directory: paths.directory(id),
    dns: orDefault(host.dns, dnsDefaults.servers),
    dnsOptions: orDefault(host.dnsOptions, dnsDefaults.options),
    dnsSearch: orDefault(host.dnsSearch, dnsDefaults.search),
    extraHosts: host.extraHosts,
    ports: { bindings: host.portBindings, exposed: config.exposedPorts, publishAll: host.publishAllPorts },
  }
}

export function toAttached({ id, name, config, host }: Container): Attached {
  return { id, name, hostname: config.hostname, mode: host.networkMode }
}
