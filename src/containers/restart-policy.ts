import type { RestartPolicy } from './container.ts'

const firstDelayMs = 100
const longestDelayMs = 60_000
/** A run that lasted this long was no failed attempt: the delay starts anew. */
const successfulRunMs = 10_000

export interface Attempt {
  readonly exitCode: number
  readonly stoppedByUser: boolean
  readonly restartCount: number
  readonly ranForMs: number
  /** The delay before the run that has just ended; 0 for the first. */
  readonly previousDelayMs: number
}

/** How long to wait before the next start; undefined: the container stays down. */
export function nextRestart(policy: RestartPolicy, attempt: Attempt): { delayMs: number } | undefined {
  if (!wants(policy, attempt)) return undefined
  if (attempt.ranForMs >= successfulRunMs || attempt.previousDelayMs === 0) return { delayMs: firstDelayMs }
  return { delayMs: Math.min(attempt.previousDelayMs * 2, longestDelayMs) }
}

/** Whether a container that is down is started with the daemon. Only `unless-stopped` minds who stopped it, as in dockerd. */
export function startsWithDaemon(
  policy: RestartPolicy,
  { stoppedByUser, ...end }: Pick<Attempt, 'exitCode' | 'stoppedByUser' | 'restartCount'>,
): boolean {
  if (policy.name === 'unless-stopped') return !stoppedByUser
  return wants(policy, { ...end, stoppedByUser: false })
}

function wants(
  policy: RestartPolicy,
  { exitCode, stoppedByUser, restartCount }: Pick<Attempt, 'exitCode' | 'stoppedByUser' | 'restartCount'>,
): boolean {
  if (stoppedByUser) return false
  switch (policy.name) {
    case 'no':
      return false
    case 'always':
    case 'unless-stopped':
      return true
    case 'on-failure':
      return exitCode !== 0 && (policy.maximumRetryCount === 0 || restartCount < policy.maximumRetryCount)
    default:
      return policy.name satisfies never
  }
}
