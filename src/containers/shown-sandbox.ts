import { digestOf, encodedOf } from '#base/digest.ts'
import type { Container } from './container.ts'
import { isAlive } from './lifecycle.ts'

/** A container's network stack as others find it; texts are empty while it has none of its own. */
export interface ShownSandbox {
  /** Another one at each start. */
  readonly id: string
  /** A path to enter it by. It ends with the container: nothing is mounted for it that could be left behind. */
  readonly key: string
}

export function sandboxOf(container: Container): ShownSandbox {
  const { id, host, state } = container
  if (!isAlive(container) || host.networkMode.startsWith('container:')) return { id: '', key: '' }
  return {
    id: encodedOf(digestOf(`sandbox ${id} ${state.startedAt}`)),
    key: `/proc/${state.pid}/ns/net`,
  }
}
