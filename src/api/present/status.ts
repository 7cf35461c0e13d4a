import { formatHumanDuration } from '#base/quantity.ts'
import type { ContainerState } from '#containers/container.ts'

/** The Status column of `docker ps`: `Up 3 seconds`, `Exited (0) 2 minutes ago`.   @param now nanoseconds since 1970 */
export function presentStatus(state: ContainerState, now: bigint): string {
  const ago = (since: bigint | undefined) => formatHumanDuration(Number((now - (since ?? now)) / 1_000_000n))
  switch (state.status) {
    case 'running':
      return `Up ${ago(state.startedAt)}${presentHealth(state)}`
    case 'paused':
      return `Up ${ago(state.startedAt)} (Paused)`
    case 'restarting':
      return `Restarting (${state.exitCode}) ${ago(state.finishedAt)} ago`
    case 'exited':
      return state.finishedAt === undefined ? '' : `Exited (${state.exitCode}) ${ago(state.finishedAt)} ago`
    case 'created':
      return 'Created'
    case 'removing':
      return 'Removal In Progress'
    case 'dead':
      return 'Dead'
    default:
      state.status satisfies never
      return ''
  }
}

function presentHealth({ health }: ContainerState): string {
  if (!health) return ''
  return health.status === 'starting' ? ' (health: starting)' : ` (${health.status})`
}
