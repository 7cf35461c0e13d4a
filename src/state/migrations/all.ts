import { images } from './0001-images.ts'
import { snapshots } from './0002-snapshots.ts'
import { network } from './0003-network.ts'
import { containers } from './0004-containers.ts'
import { events } from './0005-events.ts'
import { imageParents } from './0006-image-parents.ts'
import { userNetworks } from './0007-user-networks.ts'
import { volumes } from './0008-volumes.ts'
import type { Migration } from './migration.ts'

export type { Migration } from './migration.ts'

/** Every migration, oldest first. */
export const migrations: readonly Migration[] = [
  images,
  snapshots,
  network,
  containers,
  events,
  imageParents,
  userNetworks,
  volumes,
]
