import { invalid } from '#base/errors.ts'

/** A place for data that outlives containers. What its driver knows of it (where it is) is not part of the record. */
export interface Volume {
  readonly name: string
  readonly driver: string
  /** Undefined: none were given, which answers tell from an empty object. */
  readonly options: Readonly<Record<string, string>> | undefined
  readonly labels: Readonly<Record<string, string>> | undefined
  /** Nanoseconds since 1970; undefined: its driver does not say. */
  readonly createdAt: bigint | undefined
}

export interface VolumeView {
  readonly volume: Volume
  /** On the host; '' as long as its driver has none to tell. */
  readonly mountpoint: string
  readonly scope: VolumeScope
  /** What its driver tells of it. */
  readonly status: Readonly<Record<string, unknown>> | undefined
}

/** As `docker system df` counts it. */
export interface VolumeUsage extends VolumeView {
  /** -1: cannot be counted. */
  readonly bytes: number
  /** Containers that have it, running or not. */
  readonly references: number
}

export type VolumeScope = 'local' | 'global'

/** What somebody asks for; what there is already is taken as it is. */
export interface VolumeRequest {
  /** '': nobody names it, so it gets an id for a name and goes with its container. */
  readonly name: string
  /** '': the volume's own, or the local one. */
  readonly driver: string
  readonly options: Readonly<Record<string, string>> | undefined
  readonly labels: Readonly<Record<string, string>> | undefined
}

export const localDriverName = 'local'

/** The mark of volumes that nobody named. */
export const anonymousLabel = 'com.docker.volume.anonymous'

export function isAnonymous({ labels }: Volume): boolean {
  return labels !== undefined && Object.hasOwn(labels, anonymousLabel)
}

const longestName = 255

/** A name of the local driver, which is a directory's.   @throws `invalid` in Docker's words */
export function checkLocalName(name: string): void {
  if (name.length === 1) throw invalid('volume name is too short, names should be at least two alphanumeric characters')
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) {
    throw invalid(
      `${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    )
  }
  if (name.length > longestName) {
    throw invalid(`volume name is too long, names can be at most ${longestName} characters`)
  }
}
