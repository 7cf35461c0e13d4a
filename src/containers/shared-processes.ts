import { internal, invalid, isKind } from '#base/errors.ts'
import type { Container, HostSettings } from './container.ts'
import type { ContainerContext } from './context.ts'
import { isAlive } from './lifecycle.ts'

type Store = Pick<ContainerContext, 'store'>

const prefix = 'container:'

/** Whether the container's processes live among those of another one. */
function sharesProcesses({ pidMode }: Pick<HostSettings, 'pidMode'>): boolean {
  return pidMode.startsWith(prefix)
}

/** At create: the mode with the other one's id.   @throws `invalid` in Docker's words */
export function withProcessPeer({ store }: Store, host: HostSettings): HostSettings {
  if (!sharesProcesses(host)) return host
  const name = host.pidMode.slice(prefix.length)
  if (name === '') throw invalid(`invalid PID mode: ${host.pidMode}`)
  try {
    return { ...host, pidMode: `${prefix}${store.get(name).id}` }
  } catch (cause) {
    if (!isKind(cause, 'not-found')) throw cause
    throw invalid(`No such container: ${name}`, { cause })
  }
}

/** The running container whose process namespace this one joins; undefined: none.   @throws `internal` in Docker's words */
export function findProcessPeer({ store }: Store, { host }: Container): Container | undefined {
  if (!sharesProcesses(host)) return undefined
  const id = host.pidMode.slice(prefix.length)
  const peer = store.find(id)
  if (!peer) throw internal(`failed to join PID namespace: No such container: ${id}`)
  if (!isAlive(peer)) throw internal(`failed to join PID namespace: container ${id} is not running`)
  return peer
}
