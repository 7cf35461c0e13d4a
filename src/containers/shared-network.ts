import { conflict, invalid, isKind, notFound } from '#base/errors.ts'
import type { Container, ContainerConfig, HostSettings } from './container.ts'
import type { ContainerContext } from './context.ts'
import { isRunning } from './lifecycle.ts'
import type { EtcFiles } from './spec/mounts.ts'

const prefix = 'container:'

/** Whether the container lives in the network stack of another one. */
export function sharesNetwork({ networkMode }: Pick<HostSettings, 'networkMode'>): boolean {
  return networkMode.startsWith(prefix)
}

/** At create: the mode with the other one's id, and its host name. One that is not there is told of at start, as by Docker. */
export function withPeer(
  { store }: Pick<ContainerContext, 'store'>,
  config: ContainerConfig,
  host: HostSettings,
): { config: ContainerConfig; host: HostSettings } {
  if (!sharesNetwork(host)) return { config, host }
  refuseOwn(config, host)
  try {
    const peer = store.get(host.networkMode.slice(prefix.length))
    const { hostname, domainname } = peer.config
    return { config: { ...config, hostname, domainname }, host: { ...host, networkMode: `${prefix}${peer.id}` } }
  } catch (error) {
    if (!isKind(error, 'not-found')) throw error
    return { config, host }
  }
}

/** @throws `invalid` in Docker's words for what only an own network stack can have */
function refuseOwn(config: ContainerConfig, host: HostSettings): void {
  const asked: readonly (readonly [boolean, string])[] = [
    [config.hostname !== '', 'hostname and the network mode'],
    [
      host.links.length > 0,
      'container type network cannot be used with links. This would result in undefined behavior',
    ],
    [host.dns.length > 0, 'dns and the network mode'],
    [host.extraHosts.length > 0, 'custom host-to-IP mapping and the network mode'],
    [
      Object.keys(host.portBindings).length > 0 || host.publishAllPorts,
      'port publishing and the container type network mode',
    ],
    [config.exposedPorts.length > 0, 'port exposing and the container type network mode'],
  ]
  for (const [wanted, what] of asked) if (wanted) throw invalid(`conflicting options: ${what}`)
}

/** The running container whose network stack this one lives in; undefined: its own.   @throws `not-found`, `conflict` in Docker's words */
export function findPeer({ store }: Pick<ContainerContext, 'store'>, { host }: Container): Container | undefined {
  if (!sharesNetwork(host)) return undefined
  const name = host.networkMode.slice(prefix.length)
  const peer = store.find(name) ?? lookUp(store, name)
  if (!isRunning(peer)) {
    throw conflict(
      `cannot join network namespace of a non running container: container ${peer.name} is ${peer.state.status}`,
    )
  }
  if (peer.state.status === 'restarting') {
    throw conflict(`cannot join network namespace of container: container ${peer.name} is restarting`)
  }
  return peer
}

function lookUp(store: ContainerContext['store'], name: string): Container {
  try {
    return store.get(name)
  } catch (cause) {
    if (!isKind(cause, 'not-found')) throw cause
    throw notFound(`joining network namespace of container: No such container: ${name}`, { cause })
  }
}

/** After the start's preparation: the namespace that was joined by its process must still be that container's.   @throws `conflict` */
export function checkPeer({ store }: Pick<ContainerContext, 'store'>, peer: Container | undefined): void {
  if (!peer || store.find(peer.id)?.state.pid === peer.state.pid) return
  throw conflict(`cannot join network namespace of a non running container: container ${peer.name} has just ended`)
}

/** hosts, hostname and resolv.conf belong to the network stack, whoever lives in it. */
export function etcOf({ paths }: Pick<ContainerContext, 'paths'>, { id, host }: Container): EtcFiles {
  return paths.etc(sharesNetwork(host) ? host.networkMode.slice(prefix.length) : id)
}
