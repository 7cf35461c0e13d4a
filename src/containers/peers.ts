import { conflict, invalid } from '#base/errors.ts'
import type { NamespaceType } from '#oci/runtime-spec.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './context.ts'
import { findIpcPeer } from './shared-ipc.ts'
import { checkPeer, findPeer } from './shared-network.ts'
import { findProcessPeer } from './shared-processes.ts'
import { idMapsOf } from './spec/id-maps.ts'

/** The running containers whose namespaces a start joins. */
export interface Peers {
  readonly network: Container | undefined
  readonly pid: Container | undefined
  readonly ipc: Container | undefined
}

/** @throws what tells, in Docker's words, that one of them cannot be joined */
export function findPeers(context: ContainerContext, container: Container): Peers {
  const [pid, ipc] = [findProcessPeer(context, container), findIpcPeer(context, container)]
  for (const peer of [pid, ipc]) if (peer) checkUsers(context, container, peer)
  return { network: findPeer(context, container), pid, ipc }
}

/** A namespace belongs to the users of who made it. */
function checkUsers({ idMaps }: ContainerContext, { host }: Container, peer: Container): void {
  if ((idMapsOf(host, idMaps) === undefined) === (idMapsOf(peer.host, idMaps) === undefined)) return
  throw invalid(
    `cannot join namespaces of container ${peer.id}: one of the two has the users of the host, the other not`,
  )
}

/** When the process is there: the namespaces that it was made in must still be those containers'.   @throws `conflict` */
export function checkPeers(context: ContainerContext, { network, pid, ipc }: Peers): void {
  checkPeer(context, network)
  for (const [name, peer] of [
    ['PID', pid],
    ['IPC', ipc],
  ] as const) {
    if (!peer || context.store.find(peer.id)?.state.pid === peer.state.pid) continue
    throw conflict(`failed to join ${name} namespace: container ${peer.id} has just ended`)
  }
}

/** The paths of what is joined. With ids of its own a container also has the users of who made its namespaces. */
export function joinedOf({ network, pid, ipc }: Peers, idMapped: boolean): Partial<Record<NamespaceType, string>> {
  const users = idMapped ? (ipc ?? pid) : undefined
  return {
    ...(network && { network: namespaceOf(network, 'net') }),
    ...(pid && { pid: namespaceOf(pid, 'pid') }),
    ...(ipc && { ipc: namespaceOf(ipc, 'ipc') }),
    ...(users && { user: namespaceOf(users, 'user') }),
  }
}

export function namespaceOf({ state }: Container, kind: string): string {
  return `/proc/${state.pid}/ns/${kind}`
}
