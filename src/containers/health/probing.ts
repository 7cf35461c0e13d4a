import { BerthError, isKind, messageOf } from '#base/errors.ts'
import type { Container, Health, HealthResult } from '../container.ts'
import { commit } from '../container-events.ts'
import type { ContainerContext } from '../context.ts'
import { type HealthCheck, healthCheckOf } from './check.ts'
import { runCommandProbe } from './command-probe.ts'
import { runPortProbe } from './port-probe.ts'
import { hasFailedTooOften, healthAfter, waitMs } from './state.ts'

interface Run {
  readonly id: string
  readonly startedAt: bigint
  readonly check: HealthCheck
}

/** Probes the container again and again until the signal ends it. */
export async function probeWhileItRuns(
  context: ContainerContext,
  container: Container,
  { since, signal }: { readonly since: bigint; readonly signal: AbortSignal },
): Promise<void> {
  const { id, state } = container
  const check = healthCheckOf(container)
  if (!check || !state.health || state.startedAt === undefined) return
  const run: Run = { id, startedAt: state.startedAt, check }
  let moment = since
  let health: Health | undefined = state.health
  while (health && !signal.aborted) {
    const delayMs = waitMs(health, check, { now: context.clock.nowNanos(), startedAt: run.startedAt, since: moment })
    if (!(await waited(context, delayMs, signal))) return
    const result = await probe(context, run, signal)
    moment = result?.endedAt ?? context.clock.nowNanos()
    health = await recorded(context, run, { result, signal })
  }
}

/** False: the signal came first. */
async function waited({ clock }: ContainerContext, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, { signal })
    return true
  } catch (error) {
    if (isKind(error, 'cancelled')) return false
    throw error
  }
}

/** Undefined: it could not be probed at this moment, which says nothing about its health. */
async function probe(
  context: ContainerContext,
  { id, check }: Run,
  signal: AbortSignal,
): Promise<HealthResult | undefined> {
  const container = context.store.find(id)
  if (!container) return undefined
  const startedAt = context.clock.nowNanos()
  const result = (exitCode: number, output: string) => ({
    startedAt,
    endedAt: context.clock.nowNanos(),
    exitCode,
    output,
  })
  try {
    const { probe: target, timeoutMs } = check
    const { exitCode, output } = await (target.kind === 'command'
      ? runCommandProbe(context, container, { words: target.words, timeoutMs, signal })
      : runPortProbe(context, container, { target, timeoutMs, signal }))
    return result(exitCode, output)
  } catch (error) {
    // Held still, or just ended.
    if (signal.aborted || isKind(error, 'conflict')) return undefined
    if (!(error instanceof BerthError)) throw error
    return result(-1, messageOf(error))
  }
}

interface Outcome {
  readonly result: HealthResult | undefined
  readonly signal: AbortSignal
}

/** Writes the result into the record and tells a change.   @returns undefined when the run is over */
async function recorded(context: ContainerContext, run: Run, { result, signal }: Outcome): Promise<Health | undefined> {
  if (signal.aborted) return undefined
  using _held = await context.locks.acquire(run.id)
  const container = context.store.find(run.id)
  const before = container?.state.health
  if (!container || !before || signal.aborted) return undefined
  if (!result) return before
  const health = healthAfter(before, result, run)
  const hasChanged = health.status !== before.status
  try {
    context.store.database.checkRoom()
    commit(
      context,
      { ...container, state: { ...container.state, health } },
      ...(hasChanged ? [[`health_status: ${health.status}`] as [string]] : []),
    )
  } catch (error) {
    if (!isKind(error, 'no-space')) throw error
    context.log.warn({ container: run.id, error: messageOf(error) }, 'a health check is not recorded')
    return before
  }
  if (hasFailedTooOften(before, health, run.check)) context.whenUnhealthy(container)
  return health
}
