import type { Digest } from '#base/digest.ts'
import type { Platform } from '#oci/platform.ts'
import type { Reference } from '#oci/reference.ts'

export interface RegistryAuth {
  readonly username?: string
  readonly password?: string
  readonly identityToken?: string
  readonly registryToken?: string
  readonly serverAddress?: string
}

export interface PullRequest {
  /** With tag or digest, unless `allTags`. */
  readonly reference: Reference
  readonly allTags: boolean
  /** `linux/arm64`; undefined: this machine's. */
  readonly platform: string | undefined
  readonly auth: RegistryAuth | undefined
}

/** One line of Docker's pull stream: a whole-pull status, or one of a layer (id of twelve digits). */
export interface PullProgress {
  readonly status: string
  readonly id?: string
  readonly detail?: { readonly current?: number; readonly total?: number }
  readonly overall?: Overall
}

/** How far all layers of an image are together, in bytes of their blobs. */
export interface Overall {
  readonly current: number
  readonly total: number
  /** Of the last seconds; undefined as long as they say nothing. */
  readonly bytesPerSecond?: number
  /** Until everything is here, at that rate. */
  readonly remainingSeconds?: number
}

export interface PushRequest {
  /** With the tag to push; without one, every tag of the repository. */
  readonly reference: Reference
  /** This platform's manifest alone, which must be the image that the reference leads to. */
  readonly platform: Platform | undefined
  readonly auth: RegistryAuth | undefined
}

/** What a tag was made to point at. */
export interface PushedTag {
  readonly tag: string
  readonly digest: Digest
  /** Of the manifest or index. */
  readonly sizeBytes: number
}

/** One line of Docker's push stream. */
export type PushProgress =
  | PullProgress
  | { readonly status?: undefined; readonly id?: undefined; readonly pushed: PushedTag }

/** A line to be shown as it is. */
export interface TextLine {
  readonly status?: undefined
  readonly id?: undefined
  readonly stream: string
}

/** One line of Docker's stream for load and import. */
export type LoadProgress = PullProgress | TextLine
