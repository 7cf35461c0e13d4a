import type { MountPoint, MountSetting } from '../container.ts'

/** A mount that is what was asked for: binds and tmpfs, and all mounts of records that were made before there were volumes. */
export function toPlainMount({ asked: _, volume: __, ...setting }: MountSetting): MountPoint {
  return { ...setting, name: '', driver: '', anonymous: false }
}
