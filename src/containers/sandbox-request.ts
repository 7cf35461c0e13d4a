import type { Attached } from '#network/attachment.ts'
import type { SandboxRequest } from '#network/sandbox.ts'
import type { Container } from './container.ts'
import type { ContainerPaths } from './container-paths.ts'

/** What a container asks of its network stack at each start. */
export function toSandboxRequest(paths: ContainerPaths, { id, name, config, host }: Container): SandboxRequest {
  return {
    mode: host.networkMode,
    name,
    hostname: config.hostname,
    domainname: config.domainname,
    directory: paths.directory(id),
    dns: host.dns,
    dnsOptions: host.dnsOptions,
    dnsSearch: host.dnsSearch,
    extraHosts: host.extraHosts,
    ports: { bindings: host.portBindings, exposed: config.exposedPorts, publishAll: host.publishAllPorts },
  }
}

export function toAttached({ id, name, config, host }: Container): Attached {
  return { id, name, hostname: config.hostname, mode: host.networkMode }
}
