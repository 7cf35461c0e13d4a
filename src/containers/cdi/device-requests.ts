import { BerthError } from '#base/errors.ts'
import type { DeviceRequest } from '../container.ts'
import type { CdiRegistry } from './registry.ts'
import type { ContainerEdits } from './spec-file.ts'

const gpuKind = 'nvidia.com/gpu'

/** What a container's requests for devices come to on this host now.   @throws `internal` in Docker's words */
export async function editsOfRequests(
  registry: CdiRegistry,
  requests: readonly DeviceRequest[],
): Promise<readonly ContainerEdits[]> {
  if (requests.length === 0) return []
  const names: string[] = []
  for (const request of requests) names.push(...(await namesOf(registry, request)))
  return await registry.editsOf(names)
}

async function namesOf(registry: CdiRegistry, request: DeviceRequest): Promise<readonly string[]> {
  const { driver, deviceIds, count } = request
  if (driver === 'cdi') return deviceIds
  const isGpu = driver === 'nvidia' || request.capabilities.some((all) => all.includes('gpu'))
  const devices = isGpu && ['', 'nvidia'].includes(driver) ? await registry.devicesOf(gpuKind) : []
  if (devices.length === 0) throw noDriver(request)
  if (deviceIds.length > 0) return deviceIds.map((id) => `${gpuKind}=${id}`)
  if (count < 0) return [`${gpuKind}=all`]
  return Array.from({ length: count }, (_, index) => `${gpuKind}=${index}`)
}

function noDriver({ driver, capabilities }: DeviceRequest): Error {
  const list = capabilities.map((all) => `[${all.join(' ')}]`).join(' ')
  return new BerthError('internal', `could not select device driver "${driver}" with capabilities: [${list}]`)
}
