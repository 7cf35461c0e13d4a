import { BerthError, type Kind, messageOf } from '#base/errors.ts'
import type { ResourcesSpec } from '#oci/runtime-spec.ts'
import type { Container, HostSettings } from './container.ts'
import { publish } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import { isAlive } from './lifecycle.ts'
import type { UpdateRequest } from './requests.ts'
import { cgroupPathOf } from './spec/cgroups.ts'
import { limitsOf } from './spec/resources.ts'
import { validateRestartPolicy } from './validate.ts'
import { validateResources } from './validate-resources.ts'

/**
 * Changes limits, of what runs at once, and the restart policy. What is 0, empty or undefined in the request stays.
 * @throws `not-found`, `invalid`, `conflict` in Docker's words
 */
export async function update(context: ContainerContext, name: string, request: UpdateRequest): Promise<void> {
  validateResources(request.limits, { update: true })
  if (request.restartPolicy) validateRestartPolicy(request.restartPolicy)
  const { id } = context.store.get(name)
  using _held = await context.locks.acquire(id)
  const before = context.store.get(id)
  checkUpdatable(before, request)
  const container = { ...before, host: merge(before.host, request) }
  // On record first: what cannot be kept is not begun.
  context.store.update(container)
  try {
    if (isAlive(container)) await context.cgroups.update(cgroupPathOf(container, context.cgroupDriver), live(request))
  } catch (cause) {
    context.store.update(before)
    throw refused(before, messageOf(cause), cause instanceof BerthError ? cause.kind : 'internal', cause)
  }
  publish(context, container, 'update')

  function live({ limits: { pidsLimit } }: UpdateRequest): ResourcesSpec {
    const unlimited = pidsLimit !== undefined && pidsLimit <= 0
    return { ...limitsOf(container.host), ...(unlimited && { pids: { limit: -1 } }) }
  }
}

function refused({ id }: Container, why: string, kind: Kind = 'conflict', cause?: unknown): BerthError {
  return new BerthError(kind, `Cannot update container ${id}: ${why}`, { cause })
}

function checkUpdatable(container: Container, { limits: asked, restartPolicy }: UpdateRequest): void {
  const { host, state } = container
  if (state.status === 'removing' || state.status === 'dead') {
    throw refused(container, 'Container is marked for removal and cannot be "update".')
  }
  const conflicts: readonly (readonly [boolean, string])[] = [
    [asked.nanoCpus > 0 && host.cpuPeriodMicros > 0, 'Nano CPUs cannot be updated as CPU Period has already been set'],
    [asked.nanoCpus > 0 && host.cpuQuotaMicros > 0, 'Nano CPUs cannot be updated as CPU Quota has already been set'],
    [asked.cpuPeriodMicros > 0 && host.nanoCpus > 0, 'CPU Period cannot be updated as NanoCPUs has already been set'],
    [asked.cpuQuotaMicros > 0 && host.nanoCpus > 0, 'CPU Quota cannot be updated as NanoCPUs has already been set'],
  ]
  const found = conflicts.find(([isSo]) => isSo)
  if (found) throw refused(container, `Conflicting options: ${found[1]}`)
  if (asked.memoryBytes > swapOf(host) && asked.memorySwapBytes === 0 && swapOf(host) !== -1) {
    throw refused(
      container,
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    )
  }
  if (restartPolicy && host.autoRemove && restartPolicy.name !== 'no') {
    throw refused(container, 'Restart policy cannot be updated because AutoRemove is enabled for the container')
  }
}

/** Records of older containers have 0 where a limit of memory means twice as much. */
function swapOf({ memoryBytes, memorySwapBytes }: HostSettings): number {
  return memorySwapBytes === 0 ? memoryBytes * 2 : memorySwapBytes
}

function merge(host: HostSettings, { limits, restartPolicy }: UpdateRequest): HostSettings {
  const asked = Object.entries(limits).filter(([, value]) => value !== 0 && value !== '' && value !== undefined)
  const { pidsLimit } = limits
  return {
    ...host,
    ...Object.fromEntries(asked),
    ...(pidsLimit !== undefined && { pidsLimit: Math.max(pidsLimit, 0) }),
    ...(restartPolicy && { restartPolicy }),
  }
}
