import type { Database } from '#state/database.ts'
import type { GarbagePorts } from '../store/garbage.ts'
import type { ImageUsers } from '../store/ports.ts'
import type { PullPorts } from '../transfer/pull.ts'

export interface CheckPorts extends GarbagePorts, Pick<PullPorts, 'registries' | 'transportLimits' | 'executable'> {
  readonly database: Database
  readonly users: ImageUsers
  /** `<data-root>/quarantine`; made when it is needed. */
  readonly quarantine: string
}

export interface CheckRun {
  readonly repair: boolean
  readonly signal: AbortSignal
}
