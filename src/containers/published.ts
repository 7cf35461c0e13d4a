import { hasIpv6 } from '#network/ports/host-ipv6.ts'
import type { PublishedPort } from '#network/ports/host-ports.ts'
import { expandPorts } from '#network/ports/requested.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './context.ts'
import { toAttached } from './sandbox-request.ts'

/** Ports of a container as inspect and list show them. */
export interface ShownPorts {
  /** Sorted as they were asked for. */
  readonly published: readonly ShownPort[]
  /** `80/tcp`: exposed, of a container that runs on a network, and not published. */
  readonly others: readonly string[]
}

export interface ShownPort extends Pick<PublishedPort, 'protocol' | 'port' | 'hostPort'> {
  readonly hostAddresses: readonly string[]
}

export function portsOf({ network }: Pick<ContainerContext, 'network'>, container: Container): ShownPorts {
  const published = network.publishedPorts(container.id).map(
    ({ protocol, port, hostPort, hostAddress }): ShownPort => ({
      protocol,
      port,
      hostPort,
      hostAddresses: hostAddress === '' ? everyAddress() : [hostAddress],
    }),
  )
  const isAttached = network.endpoints(toAttached(container)).some(({ ipAddress }) => ipAddress !== '')
  const exposed = isAttached ? container.config.exposedPorts.flatMap(expandPorts) : []
  const known = new Set(published.map(({ port, protocol }) => `${port}/${protocol}`))
  return { published, others: exposed.filter((port) => !known.has(port)) }
}

function everyAddress(): string[] {
  return hasIpv6() ? ['0.0.0.0', '::'] : ['0.0.0.0']
}
