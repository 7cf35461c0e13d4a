import type { Route } from '../call.ts'
import { archiveRoutes } from './archive.ts'
import { authRoutes } from './auth.ts'
import { commitRoutes } from './commit.ts'
import { containerIoRoutes } from './container-io.ts'
import { containerRoutes } from './containers.ts'
import { diskUsageRoutes } from './disk-usage.ts'
import { distributionRoutes } from './distribution.ts'
import { eventRoutes } from './events.ts'
import { execRoutes } from './exec.ts'
import { imageTransferRoutes } from './image-transfer.ts'
import { imageRoutes } from './images.ts'
import { networkRoutes } from './networks.ts'
import { notServedRoutes } from './not-served.ts'
import { statsRoutes } from './stats.ts'
import { systemRoutes } from './system.ts'
import { systemCheckRoutes } from './system-check.ts'
import { volumeRoutes } from './volumes.ts'

/** Every route, in the order in which the router tries them. */
export const allRoutes: readonly Route[] = [
  ...systemRoutes,
  ...diskUsageRoutes,
  ...systemCheckRoutes,
  ...authRoutes,
  ...containerRoutes,
  ...containerIoRoutes,
  ...statsRoutes,
  ...archiveRoutes,
  ...execRoutes,
  ...commitRoutes,
  ...distributionRoutes,
  ...imageRoutes,
  ...imageTransferRoutes,
  ...networkRoutes,
  ...volumeRoutes,
  ...eventRoutes,
  ...notServedRoutes,
]
