import { isKind } from '#base/errors.ts'
import type { Container } from '../container.ts'
import type { ContainerContext } from '../context.ts'
import { isAlive } from '../lifecycle.ts'
import { type LinkCounters, readLinks, type Sample } from './sample.ts'

/** What a container uses; without a sample it does not run. */
export interface ContainerUsage {
  readonly container: Container
  readonly sample: Sample | undefined
  /** An earlier one, for the difference. */
  readonly before: Sample | undefined
  /** Undefined: the host's network. */
  readonly links: readonly LinkCounters[] | undefined
}

const intervalMs = 1000

export function usage(context: ContainerContext, name: string): ContainerUsage {
  return look(context, context.store.get(name))
}

/** One a second, the first at once, until the container is removed or the signal comes. */
export function followUsage(
  context: ContainerContext,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<ContainerUsage> {
  return follow(context, context.store.get(name), signal)
}

async function* follow(
  context: ContainerContext,
  { id }: Container,
  signal: AbortSignal,
): AsyncGenerator<ContainerUsage> {
  let previous: Sample | undefined
  for (let container = context.store.find(id); container; container = context.store.find(id)) {
    const seen = look(context, container)
    const isSameRun = previous && previous.readAt >= (container.state.startedAt ?? 0n)
    yield isSameRun && seen.sample ? { ...seen, before: previous } : seen
    previous = seen.sample
    if (!(await pause(context, signal))) return
  }
}

/** False when the signal came. */
async function pause({ clock }: ContainerContext, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(intervalMs, { signal })
    return true
  } catch (error) {
    if (isKind(error, 'cancelled')) return false
    throw error
  }
}

function look({ samples }: ContainerContext, container: Container): ContainerUsage {
  const sample = isAlive(container) ? samples.take(container) : undefined
  return {
    container,
    sample,
    before: sample && samples.before(container, sample),
    links: sample && container.host.networkMode !== 'host' ? readLinks(container.state.pid) : undefined,
  }
}
