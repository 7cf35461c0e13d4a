import type { Health, HealthResult } from '../container.ts'
import type { HealthCheck } from './check.ts'

const keptResults = 5

/** Of a run that has just begun. What the last probes of the run before said stays to be read. */
export function startingHealth(before: Health | undefined): Health {
  return { status: 'starting', failingStreak: 0, results: before?.results ?? [] }
}

/** Nobody probes what is paused or has ended; Docker calls it unhealthy, without an event. */
export function unprobedHealth(before: Health | undefined): Health | undefined {
  return before && { ...before, status: 'unhealthy' }
}

/** @param startedAt of the run, nanoseconds since 1970 */
export function healthAfter(
  before: Health,
  result: HealthResult,
  { check, startedAt }: { readonly check: HealthCheck; readonly startedAt: bigint },
): Health {
  const results = [...before.results, result].slice(-keptResults)
  if (result.exitCode === 0) return { status: 'healthy', failingStreak: 0, results }
  const isPatient = before.status === 'starting' && millisBetween(startedAt, result.startedAt) < check.startPeriodMs
  if (isPatient) return { ...before, results }
  const failingStreak = before.failingStreak + 1
  return { status: failingStreak >= check.retries ? 'unhealthy' : before.status, failingStreak, results }
}

/** True for the failure that is one too many, also in a container that counts as unhealthy only because nobody had probed it. */
export function hasFailedTooOften(before: Health, after: Health, { retries }: HealthCheck): boolean {
  return before.failingStreak < retries && after.failingStreak >= retries
}

export interface Moment {
  /** Nanoseconds since 1970. */
  readonly now: bigint
  /** Start of the run. */
  readonly startedAt: bigint
  /** End of the last probe, or what else the interval is counted from. */
  readonly since: bigint
}

/** How long to wait for the next probe. */
export function waitMs(health: Health, check: HealthCheck, { now, startedAt, since }: Moment): number {
  const isStarting = health.status === 'starting' && millisBetween(startedAt, since) < check.startPeriodMs
  const interval = isStarting ? check.startIntervalMs : check.intervalMs
  // A clock that was set back must not put probes off.
  return Math.min(interval, Math.max(0, interval - millisBetween(since, now)))
}

function millisBetween(from: bigint, to: bigint): number {
  return Number(to - from) / 1e6
}
