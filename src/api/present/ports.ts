import type { NetworkSettings, PortSummary } from '#contract/types.gen.ts'
import type { ContainerView } from '#engine/engine.ts'

/** `NetworkSettings.Ports`: published ones with their addresses, others that are exposed with null. */
export function presentPortMap({ ports }: ContainerView): NetworkSettings['Ports'] {
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = {}
  for (const port of ports.others) map[port] = null
  for (const { port, protocol, hostPort, hostAddresses } of ports.published) {
    const key = `${port}/${protocol}`
    const bindings = hostAddresses.map((HostIp) => ({ HostIp, HostPort: String(hostPort) }))
    map[key] = [...(map[key] ?? []), ...bindings]
  }
  return map
}

/** `Ports` of a list: one entry an address. */
export function presentPortList({ ports }: ContainerView): PortSummary[] {
  const published = ports.published.flatMap(({ port, protocol, hostPort, hostAddresses }) =>
    hostAddresses.map((IP) => ({ IP, PrivatePort: port, PublicPort: hostPort, Type: protocol })),
  )
  const others = ports.others.map((text) => {
    const [port, protocol = 'tcp'] = text.split('/')
    return { PrivatePort: Number(port), Type: protocol }
  })
  return [...published, ...others]
}
