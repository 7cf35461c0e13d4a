import { closeSync, openSync } from 'node:fs'
import { conflict, systemCode } from '#base/errors.ts'
import { askPort } from '#runtime/probe.ts'
import type { Container } from '../container.ts'
import type { ContainerContext } from '../context.ts'
import { settledTaskOf } from '../pause.ts'
import { isInTime } from './in-time.ts'
import { boundedText, type ProbeAnswer, timeoutText } from './output.ts'
import type { PortTarget } from './port-target.ts'

export interface PortProbe {
  readonly target: PortTarget
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Asks a port in the container's network namespace, by a child without rights: nothing is needed in the image. */
export async function runPortProbe(
  context: ContainerContext,
  container: Container,
  { target, timeoutMs, signal }: PortProbe,
): Promise<ProbeAnswer> {
  const netns = await openNetworkOf(context, container)
  const given = new AbortController()
  const request = target.kind === 'http' ? target.request : undefined
  const asking = askPort(
    context.probeProgram,
    { netns, host: target.host, port: target.port, request, timeoutMs },
    AbortSignal.any([signal, given.signal]),
  )
  try {
    if (!(await isInTime(context.clock, asking, { ms: timeoutMs, signal }))) {
      return { exitCode: -1, output: timeoutText(timeoutMs, '') }
    }
    const { isHealthy, output } = await asking
    return { exitCode: isHealthy ? 0 : 1, output: boundedText(output) }
  } finally {
    given.abort()
    // Also when it was given up, the child is gone before the descriptor is.
    await asking.catch(() => undefined)
    closeSync(netns)
  }
}

/** @throws `conflict` when the container is not running any more */
async function openNetworkOf(context: ContainerContext, { id, state }: Container): Promise<number> {
  const { shim } = await settledTaskOf(context, id)
  const descriptor = openOrNothing(`/proc/${state.pid}/ns/net`)
  try {
    // A number of a process may be another's by now, but not as long as its parent has not collected it.
    const { state: now, pid } = await shim.state()
    if (descriptor !== undefined && now === 'running' && pid === state.pid) return descriptor
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor)
    throw error
  }
  if (descriptor !== undefined) closeSync(descriptor)
  throw conflict(`container ${id} is not running`)
}

function openOrNothing(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}
