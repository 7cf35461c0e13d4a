import { conflict } from '#base/errors.ts'
import { shortId } from '#base/ids.ts'
import type { Container, Status } from './container.ts'

/** What can happen to a container. */
export type Edge = 'start' | 'pause' | 'unpause' | 'exit' | 'retry' | 'remove' | 'remove-failed'

const edges: Readonly<Record<Status, Partial<Record<Edge, Status>>>> = {
  created: { start: 'running', remove: 'removing' },
  running: { pause: 'paused', exit: 'exited', retry: 'restarting' },
  paused: { unpause: 'running', exit: 'exited', retry: 'restarting' },
  restarting: { start: 'running', exit: 'exited', remove: 'removing' },
  exited: { start: 'running', remove: 'removing' },
  removing: { 'remove-failed': 'dead' },
  dead: { remove: 'removing' },
}

/** The status after the edge.   @throws `conflict` when there is no such edge */
export function transition(container: Container, edge: Edge): Status {
  const next = edges[container.state.status][edge]
  if (next === undefined) {
    throw conflict(`container ${shortId(container.id)} is ${container.state.status}: it cannot ${edge}`)
  }
  return next
}

/** Docker's `Running`: true also while paused and while waiting for its next attempt. */
export function isRunning({ state }: Container): boolean {
  return state.status === 'running' || state.status === 'paused' || state.status === 'restarting'
}

/** True when a process of it lives. */
export function isAlive({ state }: Container): boolean {
  return state.status === 'running' || state.status === 'paused'
}
