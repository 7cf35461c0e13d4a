import { conflict, invalid, isKind } from '#base/errors.ts'
import { clean } from './clean-path.ts'
import type { Container, HostSettings } from './container.ts'
import type { ContainerContext } from './context.ts'
import { isAlive } from './lifecycle.ts'

type Store = Pick<ContainerContext, 'store'>

const prefix = 'container:'
const sharedMemory = '/dev/shm'

/** Whether the container's IPC is that of another one. */
export function sharesIpc({ ipcMode }: Pick<HostSettings, 'ipcMode'>): boolean {
  return ipcMode.startsWith(prefix)
}

/** At create: the mode with the other one's id.   @throws `invalid` in Docker's words */
export function withIpcPeer({ store }: Store, host: HostSettings): HostSettings {
  const name = host.ipcMode.slice(prefix.length)
  // A mode without a name is told of at the start, as by Docker.
  if (!sharesIpc(host) || name === '') return host
  try {
    return { ...host, ipcMode: `${prefix}${store.get(name).id}` }
  } catch (cause) {
    if (!isKind(cause, 'not-found')) throw cause
    throw invalid(`No such container: ${name}`, { cause })
  }
}

/** The running container whose IPC this one joins; undefined: none.   @throws `invalid`, `conflict` in Docker's words */
export function findIpcPeer({ store }: Store, { host }: Container): Container | undefined {
  if (!sharesIpc(host)) return undefined
  const id = host.ipcMode.slice(prefix.length)
  if (id === '') throw invalid('failed to join IPC namespace: invalid name or ID supplied: ""')
  const peer = store.find(id)
  if (!peer) throw invalid(`failed to join IPC namespace: No such container: ${id}`)
  if (!isAlive(peer)) throw conflict(`failed to join IPC namespace: container ${id} is not running`)
  if (isShareable(peer)) return peer
  throw invalid(
    `failed to join IPC namespace: container ${id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
  )
}

/** What a user has put in the place of the shared memory is the container's alone. */
function isShareable({ host, mounts }: Container): boolean {
  if (mounts.some(({ target }) => clean(target) === sharedMemory)) return false
  return host.ipcMode === 'shareable' || host.ipcMode === 'host' || sharesIpc(host)
}
