import { invalid } from '#base/errors.ts'
import type { MountPoint, MountSetting } from '../container.ts'
import { isBelow } from './propagation.ts'

/** A mount that is what was asked for: binds and tmpfs, and all mounts of records that were made before there were volumes. */
export function toPlainMount({ asked: _, volume: __, ...setting }: MountSetting): MountPoint {
  return { ...setting, name: '', driver: '', anonymous: false }
}

/**
 * A bind of the engine's own files, or of what they lie in, is a slave of the host's mounts: what the host unmounts there must not stay
 * busy in the container.   @throws `invalid` in Docker's words for a propagation with which it would
 */
export function toBindMount(setting: MountSetting, dataRoot: string): MountPoint {
  const { source, propagation } = setting
  const point = toPlainMount(setting)
  if (!isBelow(source, dataRoot) && !isBelow(dataRoot, source)) return point
  if (propagation === '') return { ...point, propagation: 'rslave', propagationIsDefault: true }
  if (propagation === 'rslave' || propagation === 'rshared') return point
  throw invalid(
    `invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: "${dataRoot}", bind mount source: "${source}", propagation: "${propagation}"`,
  )
}
