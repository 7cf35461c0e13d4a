import { invalid, isKind, messageOf } from '#base/errors.ts'
import type { Filters } from '#base/filters.ts'
import { parseGoBoolean } from '#base/go-boolean.ts'
import { isAnonymous, type Volume } from './volume.ts'

export interface VolumePrune {
  readonly names: readonly string[]
  readonly reclaimedBytes: number
}

export interface PrunePolicy {
  /** What `all` means when it is not said: clients before API 1.42 mean every volume. */
  readonly all: boolean
}

interface Ports {
  unused(): readonly Volume[]
  usage(volume: Volume): Promise<number>
  remove(name: string): Promise<void>
}

/** @throws `invalid` for a bad filter, in Docker's words */
export async function pruneVolumes(
  ports: Ports,
  { filters, policy, signal }: { filters: Filters; policy: PrunePolicy; signal: AbortSignal },
): Promise<VolumePrune> {
  const all = readAll(filters.allowOnly(['all', 'label', 'label!']), policy)
  const names: string[] = []
  let reclaimedBytes = 0
  for (const volume of ports.unused()) {
    if (signal.aborted) break
    const { labels = {} } = volume
    if (!all && !isAnonymous(volume)) continue
    if (!filters.matchesLabels(labels) || !filters.lacksLabels(labels)) continue
    const bytes = await ports.usage(volume).catch(() => 0)
    if (!(await removed(ports, volume))) continue
    names.push(volume.name)
    reclaimedBytes += bytes
  }
  return { names, reclaimedBytes }
}

function readAll(filters: Filters, policy: PrunePolicy): boolean {
  const values = filters.get('all')
  if (values.length > 1) {
    throw invalid(`invalid filter 'all=[${values.join(' ')}]': only one value is expected`)
  }
  const [value] = values
  if (value === undefined) return policy.all
  try {
    return parseGoBoolean(value)
  } catch (cause) {
    throw invalid(`invalid filter 'all': ${messageOf(cause)}`, { cause })
  }
}

/** False when a container took it meanwhile, or somebody else removed it. */
async function removed(ports: Ports, { name }: Volume): Promise<boolean> {
  try {
    await ports.remove(name)
    return true
  } catch (error) {
    if (isKind(error, 'conflict') || isKind(error, 'not-found')) return false
    throw error
  }
}
