import type { Volume, VolumeScope } from './volume.ts'

/** What a driver tells of a volume. */
export interface DriverVolume {
  readonly name: string
  /** '' as long as it has none. */
  readonly mountpoint: string
  readonly createdAt: bigint | undefined
  readonly status: Readonly<Record<string, unknown>> | undefined
}

/**
 * Where volumes are. A holder is whoever needs the data at a path of the host: a container that runs, or is filled. Each holder mounts and
 * unmounts once.
 */
export interface VolumeDriver {
  readonly name: string
  readonly scope: VolumeScope
  /** @throws `invalid` for names and options that it does not take */
  create(volume: Volume): Promise<void>
  /** With all that is in it. What is not there is success. */
  remove(volume: Volume): Promise<void>
  /** Undefined: it has none of this name. */
  find(name: string): Promise<DriverVolume | undefined>
  list(): Promise<readonly DriverVolume[]>
  /** @returns where the data is until the holder unmounts */
  mount(volume: Volume, holder: string): Promise<string>
  unmount(volume: Volume, holder: string): Promise<void>
}
